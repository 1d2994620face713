"""What pages share: openers and session state, figures, small widgets."""
