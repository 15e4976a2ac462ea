"""The inbox: Teams' channel and the pager on one machine, for whoever runs the local world."""
