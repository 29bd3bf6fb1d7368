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

// InField returns an error that wraps err and names the field of the store's object that err is
// about. If err already names a field, or is nil, InField returns err.
func InField(field string, err error) error {
	if err == nil || errors.As(err, new(settingError)) {
		return err
	}
	return settingError{field, err}
}

// Misconfigured returns the error about a store that cannot be opened with its settings. The error
// has the field that InField has added to err, if any, and wraps ErrMisconfigured and err.
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
