package comment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

type gitLab struct {
	client
	project, number int64
}

func (g gitLab) Own(ctx context.Context, marker string) ([]Comment, error) {
	var self struct{ ID int64 }
	if _, err := g.call(ctx, http.MethodGet, g.base+"/user", nil, func(r io.Reader) error { return json.NewDecoder(r).Decode(&self) }); err != nil {
		return nil, err
	}
	if self.ID == 0 {
		return nil, errors.New("the server does not name the owner of the token")
	}
	url := fmt.Sprintf("%s?per_page=%d&sort=asc&order_by=created_at&", g.notes(), perPage)
	return sorted(g.own(ctx, url, marker, func(w written) bool { return w.Author.ID == self.ID }))
}

func (g gitLab) Write(ctx context.Context, id int64, body string) (int64, error) {
	return g.write(ctx, id, body, g.notes(), http.MethodPut, g.note(id))
}

func (g gitLab) Delete(ctx context.Context, id int64) error { return g.remove(ctx, g.note(id)) }

func (g gitLab) notes() string {
	return fmt.Sprintf("%s/projects/%d/merge_requests/%d/notes", g.base, g.project, g.number)
}

func (g gitLab) note(id int64) string { return fmt.Sprintf("%s/%d", g.notes(), id) }
