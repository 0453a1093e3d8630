"""The matter types, one folder for each family: the first part of a type's name is the folder's name."""
