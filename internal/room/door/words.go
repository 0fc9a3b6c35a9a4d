package door

import (
	"context"

	"github.com/a-h/templ"

	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/internal/trust/authn"
)

// greeting names who will have signed in; a link may carry no name.
func greeting(ctx context.Context, l authn.LinkFor) string {
	if l.Name == "" {
		return i18n.T(ctx, "door.confirm.title-role", "role", i18n.T(ctx, "door.role."+l.Role))
	}
	return i18n.T(ctx, "door.confirm.title", "name", l.Name)
}

func insteadText(ctx context.Context, name string) string {
	if name == "" {
		return i18n.T(ctx, "door.confirm.instead-unnamed")
	}
	return i18n.T(ctx, "door.confirm.instead", "name", name)
}

func signedInAs(ctx context.Context, name string) string {
	if name == "" {
		return i18n.T(ctx, "door.tour.in-unnamed")
	}
	return i18n.T(ctx, "door.tour.in", "name", name)
}

func devicesLead(ctx context.Context, v devicesView) string {
	if v.Shared {
		return i18n.T(ctx, "door.devices.lead-desk")
	}
	return i18n.T(ctx, "door.devices.lead")
}

func deviceName(ctx context.Context, x authn.Device) string {
	if x.Name == "" {
		return i18n.T(ctx, "door.devices.unknown")
	}
	return x.Name
}

func deviceFacts(ctx context.Context, x authn.Device) []ui.Fact {
	return []ui.Fact{
		{Name: i18n.T(ctx, "door.devices.seen"), Value: ui.Minute(x.Seen)},
		{Name: i18n.T(ctx, "door.devices.since"), Value: ui.Minute(x.Created)},
		{Name: i18n.T(ctx, "door.devices.ends"), Value: ui.Minute(x.Ends)},
	}
}

func pasteField(ctx context.Context, p paste) ui.Input {
	f := ui.Input{
		Name: "ma", Label: i18n.T(ctx, "door.paste.label"), Hint: i18n.T(ctx, "door.paste.hint"),
		More: templ.Attributes{"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
	}
	if p.Bad {
		f.Fault = i18n.T(ctx, "door.paste.bad")
	}
	return f
}
