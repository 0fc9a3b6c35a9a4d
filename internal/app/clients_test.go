package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestClientsOfOthers lets programs that others wrote to talk to any FHIR
// server talk to this one, on both engines: fhirclient and fhir-kit-client of
// npm, and HAPI's client of Maven, in JSON and in XML.
func TestClientsOfOthers(t *testing.T) {
	node, java := kitOf(t, "node"), kitOf(t, "java")
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			n := openNode(t, newPlace(t, engine))
			server := httptest.NewServer(n.Handler())
			defer server.Close()
			token, err := n.authn.IssueToken(t.Context(), "system/*.cruds", "", time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			base := server.URL + "/fhir"
			for _, script := range []string{"kit.mjs", "smart.mjs"} {
				t.Run(script, func(t *testing.T) { walk(t, node, "node", script, base, token) })
			}
			t.Run("hapi", func(t *testing.T) {
				path, err := os.ReadFile(filepath.Join(java, "cp.txt"))
				if err != nil {
					t.Fatal(err)
				}
				walk(t, java, "java", "-XX:TieredStopAtLevel=1", "-cp", "classes:"+strings.TrimSpace(string(path)), "Walk", base, token)
			})
		})
	}
}

func walk(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// kitOf gives a folder in the user's cache where a client is installed; it is
// made when what the client is made of has changed.
func kitOf(t *testing.T, kind string) string {
	t.Helper()
	need := map[string][]string{"node": {"node", "npm"}, "java": {"mvn", "javac"}}[kind]
	for _, program := range need {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("YTSO_TEST_REQUIRE") != "" {
				t.Fatalf("no %s", program)
			}
			t.Skipf("no %s: the clients of others are not tried", program)
		}
	}
	files := map[string][]string{
		"node": {"package.json", "package-lock.json", "people.mjs", "kit.mjs", "smart.mjs"},
		"java": {"pom.xml", "Walk.java"},
	}[kind]
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	content := map[string][]byte{}
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join("testdata", "clients", name))
		if err != nil {
			t.Fatal(err)
		}
		content[name] = b
		sum.Write(b)
	}
	dir := filepath.Join(cache, "ytso-test", kind+"-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(filepath.Join(dir, "ready")); err == nil {
		return dir
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range content {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if kind == "node" {
		walk(t, dir, "npm", "ci", "--legacy-peer-deps", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund")
	} else {
		walk(t, dir, "mvn", "-q", "dependency:build-classpath", "-Dmdep.outputFile=cp.txt")
		path, err := os.ReadFile(filepath.Join(dir, "cp.txt"))
		if err != nil {
			t.Fatal(err)
		}
		walk(t, dir, "javac", "-cp", string(bytes.TrimSpace(path)), "-d", "classes", "Walk.java")
	}
	if t.Failed() {
		t.FailNow()
	}
	if err := os.WriteFile(filepath.Join(dir, "ready"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}
