package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// maxRefs is the maximum size in bytes of a list of references.
const maxRefs = 256 << 20

// objectFormatError is the error about a repository whose object names are not SHA-1.
type objectFormatError struct{ format string }

func (o objectFormatError) Error() string {
	return fmt.Sprintf("the repository names its objects by %s (object-format=%s); only SHA-1 repositories are supported", o.format, o.format)
}

// decodeRefs parses the references and capabilities that a service advertises. It keeps unknown
// capabilities, because some servers reject requests without multi_ack.
func decodeRefs(from io.Reader, service string) (*packp.AdvRefs, error) {
	first := &head{limit: 4 << 10}
	refs := packp.NewAdvRefs()
	err := refs.Decode(io.TeeReader(io.LimitReader(from, maxRefs), first))
	if bytes.Contains(first.text, []byte("object-format=sha256")) {
		return nil, objectFormatError{"sha256"}
	}
	if err != nil && !errors.Is(err, packp.ErrEmptyAdvRefs) {
		return nil, err
	}
	if refs.IsEmpty() && service == transport.UploadPackServiceName {
		return nil, transport.ErrEmptyRemoteRepository
	}
	return refs, nil
}

type head struct {
	text  []byte
	limit int
}

func (h *head) Write(p []byte) (int, error) {
	h.text = append(h.text, p[:min(len(p), h.limit-len(h.text))]...)
	return len(p), nil
}

// flushing means that a flush packet follows the list of objects that the client has.
type flushing bool

const (
	withFlush    flushing = true
	withoutFlush flushing = false
)

// sendUpload writes a request for objects, and ends the negotiation.
func sendUpload(to io.Writer, ask *packp.UploadPackRequest, flush flushing) error {
	if err := ask.UploadRequest.Encode(to); err != nil {
		return err
	}
	if err := ask.UploadHaves.Encode(to, bool(flush)); err != nil {
		return err
	}
	return pktline.NewEncoder(to).EncodeString("done\n")
}

// demultiplexed returns the data of a response. Its progress messages are written to progress, or
// dropped if progress is nil.
func demultiplexed(from io.Reader, asked *capability.List, progress sideband.Progress) io.Reader {
	kind := sideband.Sideband64k
	switch {
	case asked.Supports(capability.Sideband64k):
	case asked.Supports(capability.Sideband):
		kind = sideband.Sideband
	default:
		return from
	}
	data := sideband.NewDemuxer(kind, from)
	data.Progress = progress
	return data
}

// readReport parses the response to a push. It returns nil if no report was requested.
func readReport(from io.Reader, ask *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	data := demultiplexed(from, ask.Capabilities, ask.Progress)
	if !ask.Capabilities.Supports(capability.ReportStatus) {
		_, err := io.Copy(io.Discard, io.LimitReader(data, maxReport))
		return nil, err
	}
	report := packp.NewReportStatus()
	if err := report.Decode(data); err != nil {
		return nil, err
	}
	return report, nil
}
