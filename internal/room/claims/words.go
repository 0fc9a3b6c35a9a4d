package claims

import (
	"context"
	"strconv"
	"strings"

	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
)

// hosoStates in the order in which a reader wants to see them.
var hosoStates = []HOSOState{HOSORefused, HOSOFailed, HOSOWaiting, HOSOStored, HOSOUnchanged, HOSOOlder, HOSOKept}

// hosoTones says what a state asks of the reader.
var hosoTones = map[HOSOState]ui.Tone{
	HOSOWaiting: ui.Calm, HOSOStored: ui.Good, HOSOUnchanged: ui.Calm, HOSOOlder: ui.Calm, HOSOKept: ui.Calm, HOSORefused: ui.Bad, HOSOFailed: ui.Warn,
}

func severityTone(s check.Severity) ui.Tone {
	if s == check.Error {
		return ui.Bad
	}
	return ui.Warn
}

func count64(n int64) string { return ui.Number3(strconv.FormatInt(n, 10)) }

// fileTitle is what a file is called: as its sender named it, else by its number.
func fileTitle(r Receipt) string {
	if r.Name != "" {
		return r.Name
	}
	return r.ID
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return count64(n) + " B"
	case n < 1<<20:
		return count64((n+1<<9)>>10) + " KB"
	}
	return strings.Replace(strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64), ".", ",", 1) + " MB"
}

func localTime(r Receipt) string { return ui.Minute(r.Received.In(clock.VietNam)) }

// kindWord names the kind of a file.
func kindWord(ctx context.Context, r Receipt) string {
	if r.Kind == "" {
		return i18n.T(ctx, "claims.kind.unknown")
	}
	return i18n.T(ctx, "claims.kind."+string(r.Kind))
}

// tableTitle names a table as the decision does, or the part of the envelope.
func tableTitle(ctx context.Context, name string) string {
	if n := tableNumber(name); n >= 0 {
		t := claim.Tables[n]
		return name + " – " + i18n.Pick(ctx, t.TitleVI, t.TitleEN)
	}
	if name == "FILE" {
		return i18n.T(ctx, "claims.table.file")
	}
	return i18n.T(ctx, "claims.table.hoso")
}

// wantWord says what was missing to judge a rule.
func wantWord(ctx context.Context, what string) string {
	kind, name, ok := strings.Cut(what, ":")
	if ok {
		return i18n.T(ctx, "claims.want."+kind, "name", name)
	}
	return i18n.T(ctx, "claims.want."+kind)
}

// place writes where a finding stands, in one line.
func place(ctx context.Context, f check.Finding) string {
	parts := []string{f.Table}
	if f.Row > 0 && f.Table != "XML1" && strings.HasPrefix(f.Table, "XML") {
		parts = append(parts, i18n.T(ctx, "claims.row", "n", strconv.Itoa(f.Row)))
	}
	if f.Field != "" {
		parts = append(parts, f.Field)
	}
	return strings.Join(parts, " · ")
}

// unrun is the number of rules of the list that this version does not run.
func unrun() string { return strconv.Itoa(len(check.Unimplemented())) }

// firstSentence is what a group of findings shows of itself while it is closed.
func firstSentence(ctx context.Context, g ruleGroup) string {
	if len(g.Places) == 0 {
		return ""
	}
	return i18n.Pick(ctx, g.Places[0].VI, g.Places[0].EN)
}

func mend(g ruleGroup) string {
	if len(g.Places) == 0 {
		return ""
	}
	return g.Places[0].MendVI
}
