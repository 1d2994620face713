"""What a corpus of any size will take: disk, memory and hours, from what smaller ones took."""
