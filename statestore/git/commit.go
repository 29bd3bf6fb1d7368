package git

import (
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// commit is a commit to push, with its new objects.
type commit struct {
	commit  plumbing.Hash
	objects map[plumbing.Hash]plumbing.EncodedObject
}

// build makes a commit on top of head. It returns nil if the tree stays the same.
func (s *Store) build(edits *edit, text commitText) (*commit, error) {
	was, err := s.objects.root(s.head)
	if err != nil {
		return nil, err
	}
	r := rewriter{objects: s.objects, made: map[plumbing.Hash]plumbing.EncodedObject{}}
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
	encoded, err := s.encodeCommit(root, text)
	if err != nil {
		return nil, err
	}
	return &commit{commit: r.keep(encoded), objects: r.made}, nil
}

func (s *Store) encodeCommit(root plumbing.Hash, text commitText) (plumbing.EncodedObject, error) {
	now := s.now()
	made := object.Commit{
		Author:    object.Signature{Name: text.author.Name, Email: text.author.Email, When: now},
		Committer: object.Signature{Name: s.committer.Name, Email: s.committer.Email, When: now},
		Message:   text.message, TreeHash: root,
	}
	if !s.head.IsZero() {
		made.ParentHashes = []plumbing.Hash{s.head}
	}
	encoded := &plumbing.MemoryObject{}
	if err := made.Encode(encoded); err != nil || s.sign == nil {
		return encoded, err
	}
	unsigned, err := bytesOf(encoded)
	if err != nil {
		return nil, err
	}
	if made.PGPSignature, err = s.sign(unsigned); err != nil {
		return nil, fmt.Errorf("sign the commit: %w", err)
	}
	signed := &plumbing.MemoryObject{}
	return signed, made.Encode(signed)
}
