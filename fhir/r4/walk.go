package r4

import "sort"

// First is the first member of an object or the first item of an array.
// With Next it walks the tree without allocation.
func (n Node) First() Node {
	x := n.node()
	if (x.kind != Map && x.kind != Array) || n.i+1 >= x.next {
		return Node{}
	}
	return Node{n.d, n.i + 1}
}

// Next is the member or item of parent behind n; absent when n is the last one.
func (n Node) Next(parent Node) Node {
	if n.d == nil || n.d.nodes[n.i].next >= parent.node().next {
		return Node{}
	}
	return Node{n.d, n.d.nodes[n.i].next}
}

// Name is the name of a member, as written; empty of an item.
func (n Node) Name() []byte {
	if n.d == nil {
		return nil
	}
	x := n.node()
	return n.d.src[x.key : x.key+x.len]
}

// Quoted gives what stands between the quotes of a string, and whether it holds escapes.
func (n Node) Quoted() (raw []byte, escaped bool) {
	x := n.node()
	if x.kind != String {
		return nil, false
	}
	return n.d.src[x.from+1 : x.to-1], x.escaped
}

// AppendText appends what Text gives, for a reader that uses its buffer again.
func (n Node) AppendText(b []byte) []byte {
	raw, escaped := n.Quoted()
	switch {
	case n.Kind() != String:
		return append(b, n.Text()...)
	case escaped:
		return appendUnescaped(b, raw)
	}
	return append(b, raw...)
}

// place is where a value of the JSON stands in the XML that it was made from.
type place struct{ json, xml int32 }

// origin is the XML that a Doc was made from.
type origin struct {
	src    []byte
	places []place // in order of json
}

// Place is the line and the column, in bytes from 1, of the value in the text
// that was received: JSON, or the XML that the Doc was made from.
func (n Node) Place() (line, column int) {
	if n.d == nil {
		return 0, 0
	}
	at := n.node().from
	if n.d.xml == nil {
		return lineColumn(n.d.src, int(at))
	}
	p := n.d.xml.places
	i := sort.Search(len(p), func(i int) bool { return p[i].json > at })
	if i == 0 {
		return 1, 1
	}
	return lineColumn(n.d.xml.src, int(p[i-1].xml))
}
