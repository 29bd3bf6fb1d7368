// Package deploy checks the contents of deploy/. It is a separate module, so that the program does
// not depend on Helm.
package deploy
