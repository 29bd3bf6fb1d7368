package listing

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxRows is the maximum number of rows of a kind that are read.
const MaxRows = 1_000_000

const reportSchema = 1

var errNotReport = errors.New("it is not the report of a daemon")

type tooManyError struct{ what string }

func (e tooManyError) Error() string { return fmt.Sprintf("it has more than %d %s", MaxRows, e.what) }

type (
	wirePlacement struct {
		Work, Directory, Destination, State, Reason, Promise, Resource string
	}
	wireFinding struct {
		Rule, Name, Severity, Message, Flux, Fix string
		Place                                    wirePlace
		Related                                  []wirePlace
	}
	wirePlace struct{ Object, File string }
	wireStore struct {
		Name, Revision string
		Unselected     bool
		Destinations   []struct{ Name, Location string }
	}
)

// DecodeReport reads the JSON of a report, item by item.
func DecodeReport(in io.Reader) (Listing, error) {
	bounded := &itemReader{from: in, left: maxItem}
	d := reportDecoder{decoder: json.NewDecoder(bounded), bounded: bounded, failed: map[string]string{}}
	d.listing.Lacks = map[Fact]string{Labels: "the report of a daemon has no labels: use --kube or -f for --selector"}
	if err := d.fields(d.field); err != nil {
		return Listing{}, err
	}
	if !d.isReport {
		return Listing{}, errNotReport
	}
	d.finish()
	return d.listing, nil
}

const maxItem = 8 << 20

// itemReader is a reader that fails after maxItem bytes of one item.
type itemReader struct {
	from io.Reader
	left int
}

var errLargeItem = fmt.Errorf("it has a value of more than %d MiB", maxItem>>20)

func (r *itemReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errLargeItem
	}
	n, err := r.from.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}

func (r *itemReader) next() { r.left = maxItem }

type reportDecoder struct {
	decoder  *json.Decoder
	bounded  *itemReader
	listing  Listing
	isReport bool
	stores   []wireStore
	failed   map[string]string
}

func (d *reportDecoder) fields(take func(key string) error) error {
	if token, err := d.decoder.Token(); err != nil || token != json.Delim('{') {
		return notReport(err)
	}
	for d.decoder.More() {
		d.bounded.next()
		token, err := d.decoder.Token()
		if err != nil {
			return notReport(err)
		}
		key, _ := token.(string)
		if err := take(key); err != nil {
			return err
		}
	}
	if _, err := d.decoder.Token(); err != nil {
		return notReport(err)
	}
	return nil
}

func notReport(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	if err == nil || errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errNotReport
	}
	return err
}

func (d *reportDecoder) field(key string) error {
	switch key {
	case "schemaVersion":
		var version int
		if err := d.decoder.Decode(&version); err != nil {
			return notReport(err)
		}
		if version != reportSchema {
			return fmt.Errorf("its report has the schema %d, and this program reads %d: use the version of the daemon", version, reportSchema)
		}
	case "tool":
		var tool string
		if err := d.decoder.Decode(&tool); err != nil {
			return notReport(err)
		}
		d.isReport = tool == "kratix-schedule"
	case "placements":
		return each(d, "placements", d.placement)
	case "findings":
		return each(d, "findings", d.finding)
	case "stores":
		return each(d, "stores", func(s wireStore) { d.stores = append(d.stores, s) })
	default:
		return d.skip()
	}
	return nil
}

func (d *reportDecoder) skip() error {
	for depth := 0; ; {
		d.bounded.next()
		token, err := d.decoder.Token()
		if err != nil {
			return notReport(err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

func notReportOrNil(err error) error {
	if err == nil {
		return nil
	}
	return notReport(err)
}

func each[T any](d *reportDecoder, what string, take func(T)) error {
	if token, err := d.decoder.Token(); err != nil || token != json.Delim('[') {
		return notReport(err)
	}
	for n := 0; d.decoder.More(); n++ {
		if n == MaxRows {
			return tooManyError{what}
		}
		d.bounded.next()
		var item T
		if err := d.decoder.Decode(&item); err != nil {
			return notReport(err)
		}
		take(item)
	}
	_, err := d.decoder.Token()
	return notReportOrNil(err)
}

func (d *reportDecoder) placement(p wirePlacement) {
	namespace, name := splitName(p.Work)
	d.listing.Placements = append(d.listing.Placements, Placement{
		Namespace: namespace, Work: name, Group: p.Directory, Destination: p.Destination, State: p.State, Reason: p.Reason,
		Promise: p.Promise, Resource: p.Resource,
	})
}

const storeFailedID = "KS060"

func (d *reportDecoder) finding(f wireFinding) {
	if f.Rule == storeFailedID {
		d.failed[f.Place.Object] = f.Message
	}
	if !isConflict(f.Rule) {
		return
	}
	row := Conflict{Rule: f.Rule, RuleName: f.Name, Severity: f.Severity, Object: f.Place.Object, File: f.Place.File, Message: f.Message, Fix: f.Fix, Flux: f.Flux}
	for _, related := range f.Related {
		row.With = append(row.With, related.Object)
	}
	d.listing.Conflicts = append(d.listing.Conflicts, row)
}

func (d *reportDecoder) finish() {
	revisions := map[string]string{}
	for _, store := range d.stores {
		kind, name, _ := strings.Cut(store.Name, " ")
		row := Store{Kind: kind, StoreName: name, State: readyState, Revision: store.Revision}
		if store.Unselected {
			row.Reason = "another shard writes to it"
		}
		if why, isFailed := d.failed[store.Name]; isFailed {
			row.State, row.Reason = failedState, why
			delete(d.failed, store.Name)
		}
		revisions[store.Name] = store.Revision
		d.listing.Stores = append(d.listing.Stores, row)
		for _, destination := range store.Destinations {
			d.listing.Destinations = append(d.listing.Destinations, Destination{
				DestinationName: destination.Name, State: row.State, Store: store.Name, Path: pathIn(destination.Location), Reason: row.Reason,
			})
		}
	}
	for object, why := range d.failed {
		kind, name, found := strings.Cut(object, " ")
		if found && strings.HasSuffix(kind, "StateStore") {
			d.listing.Stores = append(d.listing.Stores, Store{Kind: kind, StoreName: name, State: failedState, Reason: why})
		}
	}
	d.listing.Count()
	d.listing.setRevisions(revisions)
}

// pathIn returns the directory of a location, which follows the last colon.
func pathIn(location string) string { return location[strings.LastIndex(location, ":")+1:] }
