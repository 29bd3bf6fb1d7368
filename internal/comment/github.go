package comment

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

type gitHub struct {
	client
	graphQL, repository string
	number              int64
}

// Own implements Thread. It asks GraphQL for the owner of the token, because a token of GitHub
// Actions may not call /user.
func (g gitHub) Own(ctx context.Context, marker string) ([]Comment, error) {
	var answer struct {
		Data struct{ Viewer struct{ DatabaseID int64 } }
	}
	query := map[string]string{"query": "query { viewer { databaseId } }"}
	if _, err := g.call(ctx, http.MethodPost, g.graphQL, query, func(r io.Reader) error { return json.NewDecoder(r).Decode(&answer) }); err != nil {
		return nil, err
	}
	self := answer.Data.Viewer.DatabaseID
	if self == 0 {
		return nil, errors.New("the server does not name the owner of the token")
	}
	url := fmt.Sprintf("%s/repos/%s/issues/%d/comments?per_page=%d&", g.base, g.repository, g.number, perPage)
	return sorted(g.own(ctx, url, marker, func(w written) bool { return w.User.ID == self }))
}

func (g gitHub) Write(ctx context.Context, id int64, body string) (int64, error) {
	create := fmt.Sprintf("%s/repos/%s/issues/%d/comments", g.base, g.repository, g.number)
	return g.write(ctx, id, body, create, http.MethodPatch, g.comment(id))
}

func (g gitHub) Delete(ctx context.Context, id int64) error { return g.remove(ctx, g.comment(id)) }

func (g gitHub) comment(id int64) string {
	return fmt.Sprintf("%s/repos/%s/issues/comments/%d", g.base, g.repository, id)
}

func sorted(comments []Comment, err error) ([]Comment, error) {
	slices.SortFunc(comments, func(a, b Comment) int { return cmp.Compare(a.ID, b.ID) })
	return comments, err
}
