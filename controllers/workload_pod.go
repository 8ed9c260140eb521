// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// What the pods look like inside.
const (
	containerName = "authserver"
	portHTTP      = "http"
	portOps       = "ops"
	portExtAuthz  = "ext-authz"
	httpPort      = 8080
	opsPort       = 9090
	extAuthzPort  = 9191

	configDir = "/etc/gatehouse"
	dataDir   = "/var/lib/gatehouse"

	// userID is any but 0: the image is FROM scratch, where no user has a name.
	userID = 65532
	// drain is how long SIGTERM to exit takes at most: 5 s with open listeners and 25 s of draining, and some.
	drain = 35
)

// static are the settings that a pod is made of. A change of any of them rolls the pods; nothing else does: no
// policy, provider, user, key or token is part of it.
type static struct {
	server *v1alpha1.AuthServer
	image  string
	// shards is the number of tenants files that the pods mount.
	shards int
	// keys tells whether the server signs tokens, and so has keys to mount.
	keys bool
}

func (s static) podTemplate() (corev1.PodTemplateSpec, error) {
	resources, err := podResources(s.server.Spec.Resources)
	if err != nil {
		return corev1.PodTemplateSpec{}, err
	}
	var t corev1.PodTemplateSpec
	t.Spec = corev1.PodSpec{
		ServiceAccountName:            workloadName(s.server.Name),
		AutomountServiceAccountToken:  ptr.To(false),
		EnableServiceLinks:            ptr.To(false),
		TerminationGracePeriodSeconds: ptr.To[int64](drain),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](userID), RunAsGroup: ptr.To[int64](userID), FSGroup: ptr.To[int64](userID),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{s.container(resources)},
		Volumes:    s.volumes(),
	}
	for _, p := range s.server.Spec.ImagePullSecrets {
		t.Spec.ImagePullSecrets = append(t.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: p.Name})
	}
	mergePodTemplate(&t, s.server.Spec.PodTemplate)
	labels := map[string]string{}
	maps.Copy(labels, t.Labels)
	maps.Copy(labels, serverLabels(s.server.Name)) // ours win
	t.Labels = labels
	return t, nil
}

func (s static) container(resources corev1.ResourceRequirements) corev1.Container {
	return corev1.Container{
		Name:            containerName,
		Image:           s.image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Command:         []string{"/authserver"},
		Args: []string{
			"--config-dir", configDir, "--data-dir", dataDir,
			"--listen", fmt.Sprintf(":%d", httpPort), "--ops-listen", fmt.Sprintf(":%d", opsPort), "--ext-authz-listen", fmt.Sprintf(":%d", extAuthzPort),
			"--ops-token-file", configDir + "/" + config.FileOpsToken,
		},
		Env: []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: memoryTarget(resources)}},
		Ports: []corev1.ContainerPort{
			{Name: portHTTP, ContainerPort: httpPort, Protocol: corev1.ProtocolTCP},
			{Name: portOps, ContainerPort: opsPort, Protocol: corev1.ProtocolTCP},
			{Name: portExtAuthz, ContainerPort: extAuthzPort, Protocol: corev1.ProtocolTCP},
		},
		Resources: resources,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: ptr.To(false), ReadOnlyRootFilesystem: ptr.To(true), RunAsNonRoot: ptr.To(true),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: "config", MountPath: configDir, ReadOnly: true},
			{Name: "data", MountPath: dataDir},
			{Name: "tmp", MountPath: "/tmp"},
		},
		StartupProbe:   probe("/readyz", 1, 120),
		ReadinessProbe: probe("/readyz", 2, 2),
		LivenessProbe:  probe("/healthz", 10, 3),
	}
}

func probe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromString(portOps), Scheme: corev1.URISchemeHTTP}},
		PeriodSeconds: period, FailureThreshold: failures, SuccessThreshold: 1, TimeoutSeconds: 1,
	}
}

// volumes: everything rendered is one projected volume, which the kubelet swaps as a whole.
func (s static) volumes() []corev1.Volume {
	name := s.server.Name
	sources := []corev1.VolumeProjection{
		projection(configName(name), config.FileBase, config.FileBase),
		projection(opsName(name), opsTokenKey, config.FileOpsToken),
	}
	if s.keys {
		sources = append(sources, projection(keysName(name), config.FileKeys, config.FileKeys))
	}
	for n := range s.shards {
		file := config.TenantsFile(s.shards, n)
		sources = append(sources, projection(tenantsName(name, s.shards, n), file, file))
	}
	return []corev1.Volume{
		// 0440: the group is fsGroup, so the server's user reads and nobody writes.
		{Name: "config", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: sources, DefaultMode: ptr.To[int32](0o440)}}},
		s.dataVolume(),
		emptyDir("tmp", "32Mi"),
	}
}

// claim is the name of the PersistentVolumeClaim that holds the store, "" for none.
func (s static) claim() string {
	store := &s.server.Spec.Store
	if store.Embedded == nil || store.Type != v1alpha1.StoreEmbedded && store.Type != "" {
		return ""
	}
	return store.Embedded.PersistentVolumeClaim
}

// dataVolume holds the embedded store: on a claim, or empty with each pod.
func (s static) dataVolume() corev1.Volume {
	claim := s.claim()
	if claim == "" {
		return emptyDir("data", "256Mi")
	}
	return corev1.Volume{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim},
	}}
}

func projection(secret, key, path string) corev1.VolumeProjection {
	return corev1.VolumeProjection{Secret: &corev1.SecretProjection{
		LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Items: []corev1.KeyToPath{{Key: key, Path: path}},
	}}
}

func emptyDir(name, size string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: ptr.To(resource.MustParse(size))}}}
}

// mergePodTemplate adds what the user wants. Names that are ours stay ours.
func mergePodTemplate(t *corev1.PodTemplateSpec, add *v1alpha1.PodTemplate) {
	if add == nil {
		return
	}
	for k, v := range add.Labels {
		if t.Labels == nil {
			t.Labels = map[string]string{}
		}
		t.Labels[k] = string(v)
	}
	for k, v := range add.Annotations {
		if t.Annotations == nil {
			t.Annotations = map[string]string{}
		}
		t.Annotations[k] = string(v)
	}
	for k, v := range add.NodeSelector {
		if t.Spec.NodeSelector == nil {
			t.Spec.NodeSelector = map[string]string{}
		}
		t.Spec.NodeSelector[k] = string(v)
	}
	c := &t.Spec.Containers[0]
	for _, e := range add.Env {
		if e.Name != c.Env[0].Name { // GOMEMLIMIT follows from resources
			c.Env = append(c.Env, corev1.EnvVar{Name: e.Name, Value: e.Value})
		}
	}
	t.Spec.Tolerations = add.Tolerations
	t.Spec.Affinity = add.Affinity
	t.Spec.TopologySpreadConstraints = add.TopologySpreadConstraints
}

// podResources are the user's amounts over the defaults. A limit below a default request lowers that request.
func podResources(r *v1alpha1.Resources) (corev1.ResourceRequirements, error) {
	out := corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
	}
	if r == nil {
		return out, nil
	}
	asked := map[corev1.ResourceName]bool{}
	for _, part := range []struct {
		field string
		from  v1alpha1.ResourceList
		to    corev1.ResourceList
	}{{"requests", r.Requests, out.Requests}, {"limits", r.Limits, out.Limits}} {
		for name, value := range map[corev1.ResourceName]v1alpha1.Quantity{
			corev1.ResourceCPU: part.from.CPU, corev1.ResourceMemory: part.from.Memory, corev1.ResourceEphemeralStorage: part.from.EphemeralStorage,
		} {
			if value == "" {
				continue
			}
			q, err := resource.ParseQuantity(string(value))
			if err != nil {
				return out, &invalidError{fmt.Sprintf("spec.resources.%s.%s: %q is not an amount such as 500m or 256Mi", part.field, name, value)}
			}
			part.to[name] = q
			asked[name] = asked[name] || part.field == "requests"
		}
	}
	for name, limit := range out.Limits {
		request, ok := out.Requests[name]
		switch {
		case !ok || request.Cmp(limit) <= 0:
		case asked[name]:
			return out, &invalidError{fmt.Sprintf("spec.resources.requests.%s: %s is more than the limit of %s", name, request.String(), limit.String())}
		default:
			out.Requests[name] = limit
		}
	}
	return out, nil
}

// memoryTarget is GOMEMLIMIT: nine tenths of the limit, so that the collector works harder before the kernel kills.
func memoryTarget(r corev1.ResourceRequirements) string {
	limit := r.Limits[corev1.ResourceMemory]
	return strconv.FormatInt(limit.Value()/10*9, 10)
}
