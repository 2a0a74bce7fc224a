"""Mathematics that several topics share: confidence radii, laws of boundary crossings."""
