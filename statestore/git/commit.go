package git

import (
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// commit is a commit that was made but not yet sent, with every object the
// server does not have.
type commit struct {
	commit  plumbing.Hash
	objects map[plumbing.Hash]plumbing.EncodedObject
}

// build makes a commit on head; nil when the edits make no difference.
func (s *Store) build(edits *edit, text string) (*commit, error) {
	was, err := s.objects.root(s.head)
	if err != nil {
		return nil, err
	}
	r := rewriter{held: s.objects, made: map[plumbing.Hash]plumbing.EncodedObject{}}
	root, err := r.dir("", was, edits)
	if err != nil || root == was {
		return nil, err
	}
	if root.IsZero() {
		root = r.keep(encode(plumbing.TreeObject, nil))
	}
	if root == was {
		return nil, nil
	}
	encoded, err := s.sign(root, text)
	if err != nil {
		return nil, err
	}
	return &commit{commit: r.keep(encoded), objects: r.made}, nil
}

// sign puts author, date and parent around a tree.
func (s *Store) sign(root plumbing.Hash, text string) (plumbing.EncodedObject, error) {
	who := object.Signature{Name: s.author.Name, Email: s.author.Email, When: s.now()}
	made := object.Commit{Author: who, Committer: who, Message: text, TreeHash: root}
	if !s.head.IsZero() {
		made.ParentHashes = []plumbing.Hash{s.head}
	}
	encoded := &plumbing.MemoryObject{}
	if err := made.Encode(encoded); err != nil {
		return nil, err
	}
	return encoded, nil
}
