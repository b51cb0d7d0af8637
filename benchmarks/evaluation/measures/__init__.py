"""What a compiled batch is worth, read from its circuit alone: nothing here trusts a system's own notes."""
