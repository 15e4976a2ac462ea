"""`make doctor`: whether a deployment, or the local world, could do its work now."""
