package applycheck

func (c *check) changeFaults(r *rootFiles, claim *claimFiles, file *checkedFile, own []fault) []fault {
	return nil
}
