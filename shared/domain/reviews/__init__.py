"""Reviews: what a second person must look at afterwards, because it could not wait for one."""
