// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// process is the running container of a pod.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // why it ended, readable once ended is closed
}

// run starts the pod's one container: its command with mount paths replaced by the folders that stand for them.
func (k *Kubelet) run(pod *corev1.Pod, folders map[string]string) (*process, error) {
	c := &pod.Spec.Containers[0]
	line := append(append([]string{}, c.Command...), c.Args...)
	if len(line) == 0 {
		return nil, fmt.Errorf("container %s has no command", c.Name)
	}
	binary, ok := k.Binaries[line[0]]
	if !ok {
		return nil, fmt.Errorf("no binary stands for %s", line[0])
	}
	for i := range line {
		line[i] = k.bind(replaceMounts(line[i], c.VolumeMounts, folders))
	}
	log, err := os.OpenFile(filepath.Join(k.Dir, pod.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the process has its own descriptor
	p := &process{cmd: exec.Command(binary, line[1:]...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), environment(c)...)
	p.cmd.SysProcAttr = processAttributes()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", binary, err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.ended) }()
	return p, nil
}

// stop sends SIGTERM, and SIGKILL after grace.
func (p *process) stop(grace time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(grace):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// bind gives a listen address without host the pod's: in a cluster each pod has every port to itself.
func (k *Kubelet) bind(arg string) string {
	if port, ok := strings.CutPrefix(arg, ":"); ok {
		return net.JoinHostPort(k.PodIP, port)
	}
	return arg
}

// replaceMounts puts the folder of the longest matching mount in place of its path.
func replaceMounts(arg string, mounts []corev1.VolumeMount, folders map[string]string) string {
	best, folder := "", ""
	for _, m := range mounts {
		if strings.Contains(arg, m.MountPath) && len(m.MountPath) > len(best) {
			best, folder = m.MountPath, filepath.Join(folders[m.Name], m.SubPath)
		}
	}
	if best == "" {
		return arg
	}
	return strings.Replace(arg, best, folder, 1)
}

func environment(c *corev1.Container) []string {
	var env []string
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			env = append(env, e.Name+"="+e.Value)
		}
	}
	return env
}
