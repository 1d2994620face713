-- A job may wait for another one to be done: encoding for reading, evaluating for training.

ALTER TABLE jobs ADD COLUMN after TEXT;
