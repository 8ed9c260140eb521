// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// StoreType is where users, sessions, refresh tokens and lockouts live.
//
// +kubebuilder:validation:Enum=Embedded;PostgreSQL;None
type StoreType string

// Where users, sessions, refresh tokens and lockouts live.
const (
	// StoreEmbedded is SQLite in the pod.
	StoreEmbedded StoreType = "Embedded"
	// StorePostgreSQL is a PostgreSQL database that replicas share.
	StorePostgreSQL StoreType = "PostgreSQL"
	// StoreNone is verification only: nobody can log in, and the server issues no tokens.
	StoreNone StoreType = "None"
)

// Store holds users, sessions, refresh tokens and lockouts.
//
// +kubebuilder:validation:XValidation:rule="(has(self.type) && self.type == 'PostgreSQL') == has(self.postgreSQL)",message="store.postgreSQL goes with type PostgreSQL: set both or neither"
// +kubebuilder:validation:XValidation:rule="!has(self.embedded) || !has(self.type) || self.type == 'Embedded'",message="store.embedded goes with type Embedded: leave it out"
type Store struct {
	// Type is Embedded (SQLite in the pod; one replica), PostgreSQL (replicas share it) or None (verification
	// only: providers get the reason StoreRequired).
	//
	// +kubebuilder:default=Embedded
	// +optional
	Type StoreType `json:"type,omitempty"`

	// PostgreSQL says which database.
	//
	// +optional
	PostgreSQL *PostgreSQLStore `json:"postgreSQL,omitempty"`

	// Embedded says on which volume SQLite's file lives. Without one, state starts empty with each pod (StorePersistent=False).
	//
	// +optional
	Embedded *EmbeddedStore `json:"embedded,omitempty"`
}

// PostgreSQLStore is a database of PostgreSQL 13 or later, used by this AuthServer alone. The server makes and migrates its tables.
type PostgreSQLStore struct {
	// DSNSecretRef names the connection string, postgres://user:password@host:5432/database?sslmode=verify-full or libpq's key=value form. The
	// address is not subject to outbound.allowedCIDRs: only who may write this AuthServer names it.
	DSNSecretRef SecretKeyReference `json:"dsnSecretRef"`

	// CABundleRef names the CAs that sign the database's certificate, where those are not the system's. The connection string then has to have
	// sslmode=verify-full or verify-ca: with any other nothing is verified.
	//
	// +optional
	CABundleRef *CABundleReference `json:"caBundleRef,omitempty"`
}

// EmbeddedStore is SQLite's file on a volume.
type EmbeddedStore struct {
	// PersistentVolumeClaim is the name of a claim of this namespace, ReadWriteOnce or ReadWriteOncePod. With it the Deployment is recreated, not
	// rolled: logins pause for seconds during an update.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	PersistentVolumeClaim string `json:"persistentVolumeClaim"`
}
