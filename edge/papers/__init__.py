"""What a person is handed: the card of their token, as PNG or PDF. Plain data in, bytes out."""
