package open

import (
	"errors"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
)

func (s *Stores) openOCI(ref kratix.StateStoreReference, spec *kratix.OCIStateStore, secret *kratix.Secret) (statestore.Store, error) {
	config, err := s.ociConfig(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	return s.registries.open(ref, config, func() (statestore.Store, error) {
		config.Now, config.Notify = s.Now, s.Notify
		return s.clients.Open(config)
	})
}

// ociConfig returns the configuration for the repository of a Destination.
func (s *Stores) ociConfig(ref kratix.StateStoreReference, store *kratix.OCIStateStore, secret *kratix.Secret) (oci.Config, error) {
	spec := store.Spec
	config := oci.Config{
		Name: ref.String(), URL: spec.URL, Dir: ref.Dir, Insecure: spec.Insecure, Keep: spec.Keep, Writer: s.Commits.Owner,
	}
	switch spec.MediaType {
	case "", "flux":
	case "oci":
		config.MediaType = oci.OCILayer
	default:
		return config, Misconfigured(ref, "spec.mediaType", fmt.Sprintf("mediaType %q is not known", spec.MediaType), "Set spec.mediaType to flux or oci.")
	}
	values := &secretValues{}
	switch named := spec.SecretRef != nil && spec.SecretRef.Name != ""; {
	case named && secret == nil:
		return config, Misconfigured(ref, "spec.secretRef", fmt.Sprintf("it names Secret %s, which is not in the input", spec.SecretRef.Key()),
			"Add the Secret, or correct spec.secretRef.")
	case named:
		values.secret = secret
	default:
		values.secret = &kratix.Secret{}
	}
	config.CABundle = []byte(values.line("ca.crt"))
	config.Signing = oci.SigningKey{PrivateKey: values.text("cosign.key"), Password: values.text("cosign.password")}
	switch method := orDefault(spec.AuthMethod, "basicAuth"); method {
	case "basicAuth":
		var err error
		if config.Auth, err = registryLogin(spec.URL, values); err != nil {
			return config, Misconfigured(ref, "spec.secretRef", err.Error(), "Complete the Secret that spec.secretRef names, or correct spec.url.")
		}
	case "tokenFile":
		if s.RegistryTokens == "" {
			return config, Misconfigured(ref, "spec.authMethod", "authMethod tokenFile needs a directory with token files, and KRATIX_SCHEDULE_REGISTRY_TOKENS names none",
				"Set the environment variable KRATIX_SCHEDULE_REGISTRY_TOKENS of this process to the directory, or spec.authMethod to basicAuth.")
		}
		config.Auth.TokenDir = s.RegistryTokens
	default:
		return config, Misconfigured(ref, "spec.authMethod", fmt.Sprintf("authMethod %q is not known", method), "Set spec.authMethod to basicAuth or tokenFile.")
	}
	return config, nil
}

// registryLogin returns the credentials in a Secret: a user name and a password, or those for the
// registry in a Docker configuration. The Secret may have neither.
func registryLogin(url string, values *secretValues) (oci.Auth, error) {
	user, password, docker := values.line("username"), values.line("password"), values.text(".dockerconfigjson")
	switch {
	case docker != "" && (user != "" || password != ""):
		return oci.Auth{}, errors.New(values.name() + " has both .dockerconfigjson and username or password, and only one can be used")
	case docker != "":
		host, _, err := kratix.ParseOCIURL(url)
		if err != nil {
			return oci.Auth{}, err
		}
		found, err := oci.ParseDockerConfig([]byte(docker), host)
		if err != nil {
			return found, fmt.Errorf("key %w of %s", err, values.name())
		}
		return found, nil
	case user == "" && password != "":
		return oci.Auth{}, values.lacks("username", "password needs a user name")
	case user != "" && password == "":
		return oci.Auth{}, values.lacks("password", "username needs a password")
	}
	return oci.Auth{Username: user, Password: password}, nil
}
