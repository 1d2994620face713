"""The text-to-text pipeline: chunks -> vectors -> what each model predicts -> snap -> text, and all between."""

from lvm_core.predict.context import Question
from lvm_core.predict.pipeline import Predictor
from lvm_core.predict.prediction import PASSTHROUGH, Prediction
from lvm_core.predict.report import to_json
from lvm_core.predict.settings import PredictSettings
from lvm_core.predict.stages import Ask

__all__ = ["PASSTHROUGH", "Ask", "PredictSettings", "Prediction", "Predictor", "Question", "to_json"]
