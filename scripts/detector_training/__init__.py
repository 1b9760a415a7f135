"""How the package's own person detector is made: pictures, training, the form it ships in."""
