package httpx

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// file is one file as it leaves, read and compressed once.
type file struct {
	hash, contentType string
	plain, zipped     []byte // zipped nil: not worth it
}

// files serves a tree that never changes while the program runs.
type files struct {
	tree   fs.FS
	maxAge time.Duration
	known  sync.Map // name → *file; bounded by the tree, names that are not in it are not kept
}

// Static serves the files of tree below /static/. Their ETag is a hash of the
// content. An address that holds that hash (style.0a1b2c3d.css, upload.js?v=0a1b2c3d)
// may be kept for ever; any other for maxAge. The tree must not change.
func Static(tree fs.FS, maxAge time.Duration) Handler {
	f := &files{tree: tree, maxAge: maxAge}
	return f.serve
}

// FileHash is the hash by which Static knows a content, as its address holds it.
func FileHash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:6])
}

func (s *files) serve(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimPrefix(r.URL.Path, "/static/")
	f, err := s.file(name)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(s.maxAge.Seconds())))
	if strings.Contains(path.Base(name), "."+f.hash+".") || r.URL.Query().Get("v") == f.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := f.plain, `"`+f.hash+`"`
	if f.zipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r) && r.Header.Get("Range") == "" {
			body, tag = f.zipped, `"`+f.hash+`-gz"`
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", tag)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
	return nil
}

func (s *files) file(name string) (*file, error) {
	if f, ok := s.known.Load(name); ok {
		return f.(*file), nil
	}
	if !fs.ValidPath(name) {
		return nil, errNoRoute
	}
	info, err := fs.Stat(s.tree, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, errNoRoute
	}
	if err != nil {
		return nil, err
	}
	b, err := fs.ReadFile(s.tree, name)
	if err != nil {
		return nil, err
	}
	f := &file{hash: FileHash(b), contentType: typeOf(name), plain: b}
	if compressible(http.Header{"Content-Type": {f.contentType}}) && len(b) >= worthwhile {
		f.zipped = squeeze(b)
	}
	s.known.Store(name, f)
	return f, nil
}

// typeOf does not ask the machine's own table, which differs from place to place.
func typeOf(name string) string {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".webmanifest":
		return "application/manifest+json"
	case ".json":
		return "application/json"
	case "", ".txt", ".md":
		return "text/plain; charset=utf-8"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

func squeeze(b []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	if _, err = z.Write(b); err == nil {
		err = z.Close()
	}
	if err != nil || out.Len() >= len(b) {
		return nil
	}
	return out.Bytes()
}
