package listing

import (
	"encoding/json"
	"errors"
	"io"
)

var errNotList = errors.New("the API server's answer is not a list of objects")

// DecodeList reads a list of the Kubernetes API, object by object. It returns the token of the next
// page, or "" after the last page.
func DecodeList(in io.Reader, kind string, take func(Object)) (next string, err error) {
	bounded := &itemReader{from: in, left: maxItem}
	d := reportDecoder{decoder: json.NewDecoder(bounded), bounded: bounded}
	isList := false
	err = d.fields(func(key string) error {
		switch key {
		case "metadata":
			var metadata struct {
				Continue string `json:"continue"`
			}
			err := d.decoder.Decode(&metadata)
			next = metadata.Continue
			return notReportOrNil(err)
		case "items":
			isList = true
			return each(&d, "objects", func(o Object) {
				o.Kind = kind
				take(o)
			})
		}
		return d.skip()
	})
	if errors.Is(err, errNotReport) || err == nil && !isList {
		return "", errNotList
	}
	return next, err
}
