package git

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func branchReference(spelling string) (plumbing.ReferenceName, error) {
	name := kratix.BranchName(spelling)
	if name == "HEAD" || strings.HasPrefix(name, "refs/") {
		return "", fmt.Errorf("%q is not a branch: name one, such as main", spelling)
	}
	reference := plumbing.NewBranchReferenceName(name)
	if err := reference.Validate(); err != nil {
		return "", fmt.Errorf("branch %q: %w", spelling, err)
	}
	return reference, nil
}

// missingBranch is the error about a missing branch of a repository that has others.
type missingBranch struct {
	branch string
	others []string
}

const maxNamed = 10

func (m missingBranch) Error() string {
	names := strings.Join(m.others[:min(len(m.others), maxNamed)], ", ")
	if more := len(m.others) - maxNamed; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	text := fmt.Sprintf("the repository has no branch %s; it has %s", m.branch, names)
	if meant := nearest(m.branch, m.others); meant != "" {
		text += ": did you mean " + meant + "?"
	}
	return text
}

// blockedBranch is the error about a branch that git cannot create beside another, such as a beside
// a/b.
type blockedBranch struct{ branch, by string }

func (b blockedBranch) Error() string {
	return fmt.Sprintf("the branch %s cannot be made because the branch %s exists, and git cannot have both", b.branch, b.by)
}

func (r *remote) checkBranch(refs *packp.AdvRefs) error {
	branch := r.branch.Short()
	if _, there := refs.References[r.branch.String()]; there {
		return nil
	}
	var others []string
	for name := range refs.References {
		if other, ok := strings.CutPrefix(name, "refs/heads/"); ok {
			others = append(others, other)
		}
	}
	slices.Sort(others)
	for _, other := range others {
		if strings.HasPrefix(other, branch+"/") || strings.HasPrefix(branch, other+"/") {
			return blockedBranch{branch, other}
		}
	}
	if len(others) == 0 || r.createBranch {
		return nil
	}
	return missingBranch{branch, others}
}

// nearest returns the name that the user has probably meant, or "" if there is none.
func nearest(name string, others []string) string {
	best, least := "", 3
	for _, other := range others {
		if d := distance(strings.ToLower(name), strings.ToLower(other)); d < least {
			best, least = other, d
		}
	}
	if best == "" && len(others) == 1 {
		return others[0]
	}
	return best
}

const maxCompared = 64

// distance returns the number of edits from a to b, or maxCompared if one of them is too long.
func distance(a, b string) int {
	if max(len(a), len(b)) > maxCompared {
		return maxCompared
	}
	row := make([][]int, len(a)+1)
	for i := range row {
		row[i] = make([]int, len(b)+1)
		row[i][0] = i
		for j := range b {
			if i == 0 {
				row[0][j+1] = j + 1
				continue
			}
			cost := 1
			if a[i-1] == b[j] {
				cost = 0
			}
			row[i][j+1] = min(row[i-1][j+1]+1, row[i][j]+1, row[i-1][j]+cost)
			if i > 1 && j > 0 && a[i-1] == b[j-1] && a[i-2] == b[j] {
				row[i][j+1] = min(row[i][j+1], row[i-2][j-1]+1)
			}
		}
	}
	return row[len(a)][len(b)]
}
