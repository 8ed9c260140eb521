// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// writeVolumes writes each volume of the pod below dir and returns the folder by volume name.
func (k *Kubelet) writeVolumes(ctx context.Context, pod *corev1.Pod, dir string) (map[string]string, error) {
	folders := map[string]string{}
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		folder := filepath.Join(dir, v.Name)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("making the folder of volume %s: %w", v.Name, err)
		}
		folders[v.Name] = folder
		if v.Projected == nil {
			continue // emptyDir: the folder is all there is
		}
		files, err := k.project(ctx, pod.Namespace, v.Projected)
		if err != nil {
			return nil, fmt.Errorf("reading volume %s: %w", v.Name, err)
		}
		if err := writeAtomically(folder, files); err != nil {
			return nil, fmt.Errorf("writing volume %s: %w", v.Name, err)
		}
	}
	return folders, nil
}

// project reads what the Secrets of a projected volume hold, by file name.
func (k *Kubelet) project(ctx context.Context, namespace string, volume *corev1.ProjectedVolumeSource) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, source := range volume.Sources {
		if source.Secret == nil {
			return nil, fmt.Errorf("a source is no Secret")
		}
		var secret corev1.Secret
		err := k.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: source.Secret.Name}, &secret)
		if apierrors.IsNotFound(err) && source.Secret.Optional != nil && *source.Secret.Optional {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(source.Secret.Items) == 0 {
			for name, data := range secret.Data {
				files[name] = data
			}
		}
		for _, item := range source.Secret.Items {
			data, ok := secret.Data[item.Key]
			if !ok {
				return nil, fmt.Errorf("secret %s has no key %s", secret.Name, item.Key)
			}
			files[item.Path] = data
		}
	}
	return files, nil
}

// writeAtomically replaces the files of a folder as the kubelet does: a new folder beside them, then one rename
// of the link ..data, through which every file is reached.
func writeAtomically(folder string, files map[string][]byte) error {
	fresh, err := os.MkdirTemp(folder, "..")
	if err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(fresh, name), data, 0o600); err != nil {
			return err
		}
	}
	link := filepath.Join(folder, "..data")
	old, _ := os.Readlink(link) // absent the first time
	// An attempt that was cut short may have left the link, which no other attempt could then make.
	if err := os.Remove(link + "_tmp"); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.Symlink(filepath.Base(fresh), link+"_tmp"); err != nil {
		return err
	}
	if err := os.Rename(link+"_tmp", link); err != nil {
		return err
	}
	if err := linkFiles(folder, files); err != nil {
		return err
	}
	if old != "" {
		return os.RemoveAll(filepath.Join(folder, old))
	}
	return nil
}

// linkFiles makes the links to ..data that are missing and removes those of files that are gone.
func linkFiles(folder string, files map[string][]byte) error {
	for name := range files {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(folder, name)); err != nil && !os.IsExist(err) {
			return err
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, ok := files[e.Name()]; !ok && e.Name()[0] != '.' {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
