package openfwi

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spamoe/spamoe/fwi/velocity"
)

// filePair is a file of gathers and its file of maps.
type filePair struct {
	family        velocity.Family
	layers        int // 0 in data/ and model/
	number        int
	gathers, maps string // paths; one is empty while the partner is unknown
}

// folder is where the files of a family lie.
type folder struct {
	family velocity.Family
	path   string
}

// findFolders finds the folders of the wanted families, or of all, in root: the official layout, Kaggle's, or root itself a
// family.
func findFolders(root string, wanted []velocity.Family) ([]folder, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("openfwi: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("openfwi: %s is a file, want a folder of families (or one family)", root)
	}
	if kaggle := filepath.Join(root, "train_samples"); isDir(kaggle) {
		root = kaggle
	}
	if holdsPairs(root) {
		return oneFolder(root, wanted)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("openfwi: %w", err)
	}
	found := map[velocity.Family]string{}
	var others []string
	for _, e := range entries {
		path := filepath.Join(root, e.Name())
		if strings.HasPrefix(e.Name(), ".") || !isDir(path) {
			continue
		}
		f, err := velocity.Parse(e.Name())
		switch {
		case err == nil && found[f] != "":
			return nil, fmt.Errorf("openfwi: both %s and %s are folders of %s", found[f], path, f)
		case err == nil:
			found[f] = path
		case holdsPairs(path):
			return nil, fmt.Errorf("openfwi: %s holds data, but its name is no family, want one of %v", path, velocity.Families())
		default:
			others = append(others, e.Name())
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("openfwi: %s holds no folder of a family %v, nor data/ and model/, nor seis*.npy and vel*.npy; its folders: %q", root, velocity.Families(), others)
	}
	var list []folder
	var missing []string
	for _, f := range velocity.Families() {
		switch {
		case len(wanted) > 0 && !slices.Contains(wanted, f):
		case found[f] != "":
			list = append(list, folder{f, found[f]})
		case len(wanted) > 0:
			missing = append(missing, string(f))
		}
	}
	for _, f := range wanted {
		if !slices.Contains(velocity.Families(), f) {
			missing = append(missing, string(f))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("openfwi: %s has no folder of %s", root, strings.Join(missing, ", "))
	}
	return list, nil
}

// oneFolder takes root for the folder of one family, which its name tells, or else the caller.
func oneFolder(root string, wanted []velocity.Family) ([]folder, error) {
	name := root
	if abs, err := filepath.Abs(root); err == nil {
		name = abs
	}
	f, err := velocity.Parse(filepath.Base(name))
	switch {
	case err != nil && len(wanted) == 1:
		f = wanted[0]
	case err != nil:
		return nil, fmt.Errorf("openfwi: %s holds data of one family, but its name does not tell which, want one of %v", root, velocity.Families())
	case len(wanted) > 0 && (len(wanted) > 1 || wanted[0] != f):
		return nil, fmt.Errorf("openfwi: %s is the folder of %s, want %v", root, f, wanted)
	}
	return []folder{{f, root}}, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// holdsPairs reports whether a folder looks like that of a family.
func holdsPairs(dir string) bool {
	if isDir(filepath.Join(dir, "data")) && isDir(filepath.Join(dir, "model")) {
		return true
	}
	names, err := arrays(dir)
	return err == nil && slices.ContainsFunc(names, func(n string) bool {
		return faultGathers.MatchString(n) || faultMaps.MatchString(n)
	})
}

var (
	plainGathers = regexp.MustCompile(`^data_?(\d+)\.npy$`)
	plainMaps    = regexp.MustCompile(`^model_?(\d+)\.npy$`)
	faultGathers = regexp.MustCompile(`^seis_?(\d+)_1_(\d+)\.npy$`)
	faultMaps    = regexp.MustCompile(`^vel_?(\d+)_1_(\d+)\.npy$`)
)

// arrays lists the .npy files of a folder that are not hidden.
func arrays(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".npy") && !strings.HasPrefix(e.Name(), ".") && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// scan lists the pairs of a family's folder, by number of layers and number of file.
func scan(in folder) ([]filePair, error) {
	type key struct{ layers, number int }
	pairs := map[key]*filePair{}
	add := func(dir string, gathers, maps *regexp.Regexp, want string) error {
		names, err := arrays(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("openfwi: %w", err)
		}
		for _, n := range names {
			path := filepath.Join(dir, n)
			var m []string
			isMap := false
			if gathers != nil {
				m = gathers.FindStringSubmatch(n)
			}
			if m == nil && maps != nil {
				m, isMap = maps.FindStringSubmatch(n), true
			}
			k, err := parseNumbers(m)
			if err != nil {
				return fmt.Errorf("openfwi: %s has an unexpected name, want %s", path, want)
			}
			p := pairs[key(k)]
			if p == nil {
				p = &filePair{family: in.family, layers: k.layers, number: k.number}
				pairs[key(k)] = p
			}
			place := &p.gathers
			if isMap {
				place = &p.maps
			}
			if *place != "" {
				return fmt.Errorf("openfwi: both %s and %s are file %d", *place, path, k.number)
			}
			*place = path
		}
		return nil
	}
	err := errors.Join(
		add(in.path, faultGathers, faultMaps, "seisP_1_K.npy or velP_1_K.npy"),
		add(filepath.Join(in.path, "data"), plainGathers, nil, "dataN.npy"),
		add(filepath.Join(in.path, "model"), nil, plainMaps, "modelN.npy"))
	if err != nil {
		return nil, err
	}
	var list []filePair
	for _, p := range pairs {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b filePair) int {
		return cmp.Or(cmp.Compare(a.layers, b.layers), cmp.Compare(a.number, b.number))
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("openfwi: %s is empty, want data/dataN.npy with model/modelN.npy, or seisP_1_K.npy with velP_1_K.npy", in.path)
	}
	var alone []string
	for _, p := range list {
		if p.gathers == "" {
			alone = append(alone, p.maps+" has no gathers")
		} else if p.maps == "" {
			alone = append(alone, p.gathers+" has no velocity maps")
		}
	}
	if n := len(alone); n > 0 {
		return nil, fmt.Errorf("openfwi: %d files miss their partner: %s", n, summary(alone))
	}
	return list, nil
}

// summary joins the first few of a list.
func summary(list []string) string {
	const most = 5
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}

// parseNumbers reads what the expressions above matched: layers and number, or the number alone.
func parseNumbers(m []string) (k struct{ layers, number int }, err error) {
	if m == nil {
		return k, errors.New("no match")
	}
	if len(m) == 3 {
		if k.layers, err = strconv.Atoi(m[1]); err != nil {
			return k, err
		}
	}
	k.number, err = strconv.Atoi(m[len(m)-1])
	return k, err
}
