// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
)

// opsTokenKey is the key of the operations token in its Secret.
const opsTokenKey = "token"

// minOpsToken is the shortest operations token that is left alone, in bytes.
const minOpsToken = 32

// keyState is what is known of the signing keys without holding them.
type keyState struct {
	// hash is of the keys.json in force; empty when the server signs nothing.
	hash string
	// next is when the keys have to be looked at again; zero for never.
	next time.Time
	// told is what the AuthServer's status tells of them; nil until they were looked at.
	told []v1alpha1.SigningKeyStatus
}

// signs tells whether the server issues tokens, and so needs keys.
func signs(server *v1alpha1.AuthServer) bool { return server.Spec.Store.Type != v1alpha1.StoreNone }

// applyKeys makes and rotates the signing keys, as package issue plans. The keys are read anew on each pass: what is in the
// Secret is the truth, and the operator keeps none. A keys.json that cannot be read is replaced.
func (a *applier) applyKeys(ctx context.Context) error {
	if !signs(a.server) {
		a.st.keys = keyState{}
		return nil
	}
	secret, err := a.readOwn(ctx, keysName(a.server.Name))
	if err != nil {
		return err
	}
	var have []config.SigningKey
	content := secret.Data[config.FileKeys]
	if parsed, err := config.ParseKeys(content); err == nil {
		have = parsed.Keys
	} else if len(content) > 0 {
		a.r.log.Error(err, "replacing signing keys that cannot be read", "namespace", a.server.Namespace, "name", secret.Name)
		content = nil
	}
	tokens := &a.server.Spec.Tokens
	planned, err := issue.Plan(have, issue.Settings{
		Algorithm: string(orDefault(tokens.SigningAlgorithm, "ES256")), RotationInterval: orDefault(tokens.KeyRotationInterval, "720h").Value(),
		AccessTokenLifetime: orDefault(tokens.AccessTokenLifetime, "15m").Value(),
	}, a.r.options.Now(), issue.Generate)
	if err != nil {
		return fmt.Errorf("planning signing keys: %w", err)
	}
	if planned.Changed || len(content) == 0 {
		if content, err = (&config.Keys{Version: config.Version, Keys: planned.Keys}).Encode(); err != nil {
			return fmt.Errorf("encoding signing keys: %w", err)
		}
	}
	if err := a.applyOwn(ctx, secret, config.FileKeys, content); err != nil {
		return err
	}
	a.st.keys = keyState{hash: config.Hash(content), next: planned.Next, told: tellKeys(planned.Keys)}
	return nil
}

// tellKeys is what the status tells of keys. Times are whole seconds, as the API keeps them: others would differ from what is read back.
func tellKeys(keys []config.SigningKey) []v1alpha1.SigningKeyStatus {
	out := make([]v1alpha1.SigningKeyStatus, 0, len(keys))
	for i := range keys {
		k := &keys[i]
		told := v1alpha1.SigningKeyStatus{KeyID: k.KeyID, Algorithm: k.Algorithm, ActiveFrom: metav1.NewTime(k.ActiveFrom.Truncate(time.Second))}
		if !k.RetireAfter.IsZero() {
			told.RetireAfter = ptr.To(metav1.NewTime(k.RetireAfter.Truncate(time.Second)))
		}
		out = append(out, told)
	}
	return out
}

// pruneKeys removes the keys of a server that signs no more, once no pod mounts them: a pod whose volume misses a Secret gets
// no further change of any file. It returns true while the Secret has to stay for that.
func (a *applier) pruneKeys(ctx context.Context, pods []corev1.Pod) (bool, error) {
	if signs(a.server) {
		return false, nil
	}
	if mounts(pods, keysName(a.server.Name)) {
		return true, nil
	}
	return false, a.remove(ctx, objectID{kindSecret, keysName(a.server.Name)})
}

// mounts tells whether any pod has the Secret in a projected volume.
func mounts(pods []corev1.Pod, secret string) bool {
	for i := range pods {
		for _, v := range pods[i].Spec.Volumes {
			if v.Projected == nil {
				continue
			}
			for _, s := range v.Projected.Sources {
				if s.Secret != nil && s.Secret.Name == secret {
					return true
				}
			}
		}
	}
	return false
}

// applyOpsToken makes the operations token once: 256 random bits in hex.
func (a *applier) applyOpsToken(ctx context.Context) error {
	secret, err := a.readOwn(ctx, opsName(a.server.Name))
	if err != nil {
		return err
	}
	token := secret.Data[opsTokenKey]
	if len(token) < minOpsToken {
		raw := make([]byte, 32)
		if _, err := io.ReadFull(a.r.options.Rand, raw); err != nil {
			return fmt.Errorf("making the operations token: %w", err)
		}
		token = []byte(hex.EncodeToString(raw))
	}
	return a.applyOwn(ctx, secret, opsTokenKey, token)
}

// readOwn reads a managed Secret whose content is made once and then kept. Absent ones are empty.
func (a *applier) readOwn(ctx context.Context, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := a.r.live.Get(ctx, types.NamespacedName{Namespace: a.server.Namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return &corev1.Secret{ObjectMeta: named(name)}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", name, err)
	}
	return secret, a.own(secret, objectID{kindSecret, name})
}

// applyOwn writes such a Secret on the condition that it still is what was read.
func (a *applier) applyOwn(ctx context.Context, read *corev1.Secret, key string, value []byte) error {
	return a.apply(ctx, &corev1.Secret{
		ObjectMeta: namedAt(read.Name, read.ResourceVersion),
		Type:       corev1.SecretTypeOpaque,
		Data:       map[string][]byte{key: value},
	})
}

func orDefault[T ~string](v, standard T) T {
	if v == "" {
		return standard
	}
	return v
}

// postpone looks again in a minute: while the AuthServer is not usable, keys stay as they are.
func (k *keyState) postpone(now time.Time) {
	if k.due(now) {
		k.next = now.Add(time.Minute)
	}
}

// due tells whether the keys have to be looked at.
func (k keyState) due(now time.Time) bool { return !k.next.IsZero() && !now.Before(k.next) }

// tell is what the AuthServer's status tells of the keys: what it told before while they could not be looked at.
func (k keyState) tell(server *v1alpha1.AuthServer) []v1alpha1.SigningKeyStatus {
	if k.told == nil && signs(server) {
		return server.Status.SigningKeys
	}
	return k.told
}
