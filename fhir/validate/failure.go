package validate

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Failure is the error of a resource that is refused. It holds all that was
// said, the warnings too; errors.As finds in its chain the outcome.Error of the
// first error, whose kind gives the status at every edge.
type Failure struct{ Issues []Issue }

func (f *Failure) Error() string { return "resource refused: " + f.Unwrap().Error() }

// Unwrap gives the first error.
func (f *Failure) Unwrap() error {
	for i := range f.Issues {
		if f.Issues[i].Severity == Error {
			return f.Issues[i].Outcome()
		}
	}
	return outcome.New(outcome.Exception, "validate.failure", "Tài nguyên bị từ chối mà không có lý do.", "The resource was refused without a reason.")
}

// Outcome is an issue as an error value.
func (i *Issue) Outcome() *outcome.Error {
	return outcome.New(i.Code, i.Key, i.VI, i.EN).At(i.Expression)
}

// Refusal gives the *Failure when one of the issues is an error, else nil.
func Refusal(issues []Issue) error {
	if Failed(issues) {
		return &Failure{issues}
	}
	return nil
}

// Refuse checks a resource and gives a *Failure when something in it is wrong;
// warnings alone refuse nothing. Any other error is that of Check.
func (v *Validator) Refuse(ctx context.Context, doc *r4.Doc, o Options) error {
	issues, err := v.Check(ctx, doc, o)
	if err != nil {
		return err
	}
	return Refusal(issues)
}
