// Command judge holds a log against Go's own checksum-database packages, which are not ours:
// golang.org/x/mod/sumdb/note and tlog. It shares no code with what it judges.
//
//	judge tree FOLDER VKEY            checkpoint, every tile, every entry beside them
//	judge proof VKEY < FILE           a c2sp.org/tlog-proof@v1 file whose extra is the leaf
//	judge consistency OLD NEW VKEY < PROOF  hashes of a consistency proof, one a line
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	said, err := judge(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println("accepted:", said)
}

func judge(words []string) (string, error) {
	switch {
	case len(words) == 3 && words[0] == "tree":
		return judgeTree(words[1], words[2])
	case len(words) == 2 && words[0] == "proof":
		return judgeProof(words[1])
	case len(words) == 4 && words[0] == "consistency":
		return judgeConsistency(words[1], words[2], words[3])
	}
	return "", fmt.Errorf("which judgement?")
}

// A checkpoint: three lines, signed by the key of the log that it names.
func open(content []byte, vkey string) (tree tlog.Tree, err error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(content, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("not three lines, the first the key's name: %q", opened.Text)
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// Tiles as C2SP lays them out: Go's own paths name the height, which is always 8 there.
type folder string

func (f folder) path(tile tlog.Tile) string {
	name := strings.TrimPrefix(tile.Path(), "tile/8/")
	return filepath.Join(string(f), "tile", strings.Replace(name, "data/", "entries/", 1))
}

func (f folder) Height() int                                { return height }
func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		content, err := os.ReadFile(f.path(tile))
		if err != nil {
			return nil, err
		}
		if data[i] = content; len(content) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s holds %d bytes", tile.Path(), len(content))
		}
	}
	return data, nil
}

func judgeTree(name, vkey string) (string, error) {
	content, err := os.ReadFile(filepath.Join(name, "checkpoint"))
	if err != nil {
		return "", err
	}
	tree, err := open(content, vkey)
	if err != nil {
		return "", err
	}
	// Read by Go's reader, which proves each tile it reads against the checkpoint.
	reader := tlog.TileHashReader(tree, folder(name))
	if root, err := tlog.TreeHash(tree.N, reader); err != nil || root != tree.Hash {
		return "", fmt.Errorf("the tiles make root %v: %v", root, err)
	}
	// Build all hashes anew from those of the leaves alone, and every tile from them.
	var stored []tlog.Hash
	own := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	entries := 0
	for first := int64(0); first < tree.N; first += 1 << height {
		width := min(tree.N-first, 1<<height)
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		leaves, err := reader.ReadHashes(indexes)
		if err != nil {
			return "", err
		}
		bundle, err := readBundle(folder(name), first>>height, int(width))
		if err != nil {
			return "", err
		}
		for i, leaf := range leaves {
			if bundle != nil {
				if tlog.RecordHash(bundle[i]) != leaf {
					return "", fmt.Errorf("entry %d is not what the tree holds", first+int64(i))
				}
				entries++
			}
			hashes, err := tlog.StoredHashesForRecordHash(first+int64(i), leaf, own)
			if err != nil {
				return "", err
			}
			stored = append(stored, hashes...)
		}
	}
	if root, err := tlog.TreeHash(tree.N, own); err != nil || root != tree.Hash {
		return "", fmt.Errorf("built from leaves the root is %v: %v", root, err)
	}
	tiles := 0
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		if rest := tree.N>>(height*tile.L) - tile.N<<height; int64(tile.W) != min(rest, 1<<height) {
			continue // a partial tile of a smaller tree, which may be gone
		}
		tiles++
		built, err := tlog.ReadTileData(tile, own)
		if err != nil {
			return "", err
		}
		if published, err := os.ReadFile(folder(name).path(tile)); err != nil || !bytes.Equal(built, published) {
			return "", fmt.Errorf("%s is not what the leaves make: %v", tile.Path(), err)
		}
	}
	return fmt.Sprintf("%d leaves, %d tiles, %d entries", tree.N, tiles, entries), nil
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

// The entries of a bundle, nil where none is published.
func readBundle(f folder, index int64, width int) ([][]byte, error) {
	content, err := os.ReadFile(f.path(tlog.Tile{H: height, L: -1, N: index, W: width}))
	if os.IsNotExist(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(content) >= 2 {
		size := 2 + int(binary.BigEndian.Uint16(content))
		if size > len(content) {
			break
		}
		entries = append(entries, content[2:size])
		content = content[size:]
	}
	if len(content) != 0 || len(entries) != width {
		return nil, fmt.Errorf("bundle %d does not hold %d entries", index, width)
	}
	return entries, nil
}

func judgeProof(vkey string) (string, error) {
	content, err := io.ReadAll(os.Stdin)
	if err != nil {
		return "", err
	}
	head, checkpoint, _ := strings.Cut(string(content), "\n\n")
	tree, err := open([]byte(checkpoint), vkey)
	if err != nil {
		return "", err
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return "", fmt.Errorf("not a proof file")
	}
	leaf, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return "", err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return "", err
	}
	hashes, err := parse(lines[3:])
	if err != nil {
		return "", err
	}
	err = tlog.CheckRecord(tlog.RecordProof(hashes), tree.N, tree.Hash, index, tlog.RecordHash(leaf))
	return fmt.Sprintf("entry %d of %d", index, tree.N), err
}

func judgeConsistency(before, after, vkey string) (string, error) {
	var trees [2]tlog.Tree
	for i, name := range []string{before, after} {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if trees[i], err = open(content, vkey); err != nil {
			return "", err
		}
	}
	content, err := io.ReadAll(os.Stdin)
	if err != nil {
		return "", err
	}
	hashes, err := parse(strings.Fields(string(content)))
	if err != nil {
		return "", err
	}
	err = tlog.CheckTree(tlog.TreeProof(hashes), trees[1].N, trees[1].Hash, trees[0].N, trees[0].Hash)
	return fmt.Sprintf("%d entries go on from %d", trees[1].N, trees[0].N), err
}

func parse(lines []string) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(lines))
	for i, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes[i] = hash
	}
	return hashes, nil
}
