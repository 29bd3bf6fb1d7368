package statestore

import (
	"cmp"
	"errors"
	"fmt"
)

type settingError struct {
	field string
	err   error
}

func (s settingError) Error() string { return s.err.Error() }

func (s settingError) Unwrap() error { return s.err }

// InField adds the name of a field of the store's object to an error, unless the error already has
// one.
func InField(field string, err error) error {
	if err == nil || errors.As(err, new(settingError)) {
		return err
	}
	return settingError{field, err}
}

// Misconfigured returns the error about a store that cannot be opened with its settings. It has the
// field that InField has added to err, if any.
func Misconfigured(store string, err error) *Error {
	var setting settingError
	errors.As(err, &setting)
	fix := "correct " + cmp.Or(setting.field, "the spec") + " of the state store"
	if setting.field == "spec.secretRef" {
		fix = "correct the Secret that spec.secretRef names"
	}
	return &Error{
		Op: "open", Store: store, Err: fmt.Errorf("%w: %w", ErrMisconfigured, err),
		Fix: fix, Class: Setting, Field: setting.field,
	}
}
