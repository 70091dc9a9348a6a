package atomicfile_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spamoe/spamoe/internal/atomicfile"
)

func ExampleWrite() {
	dir, _ := os.MkdirTemp("", "atomicfile")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "metrics.json")

	err := atomicfile.Write(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, `{"mae": 0.0131}`)
		return err
	})
	b, _ := os.ReadFile(path)
	fmt.Print(err, " ", string(b))
	// Output: <nil> {"mae": 0.0131}
}

func ExampleCreate() {
	dir, _ := os.MkdirTemp("", "atomicfile")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "log.txt")

	w, err := atomicfile.Create(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Abort() // does nothing after Commit
	for step := range 3 {
		fmt.Fprint(w, step, " ")
	}
	_, err = os.Stat(path)
	fmt.Println("there before Commit:", err == nil)
	fmt.Println("Commit:", w.Commit())
	b, _ := os.ReadFile(path)
	fmt.Println(string(b))
	// Output:
	// there before Commit: false
	// Commit: <nil>
	// 0 1 2
}
