# The operator and the auth server in one image. `make image` builds it from what `make build` left in bin/:
#
#   docker build .
#   docker build --build-arg BASE_IMAGE=<your hardened base> .
#   docker build --target compiled .     # compiles inside the build; needs no Go on this machine
#
# The programs are static and carry CA roots and time zones: an empty base is enough.
ARG BASE_IMAGE=scratch
ARG BUILD_IMAGE=golang:1.26

FROM ${BUILD_IMAGE} AS compile
ARG VERSION=devel
WORKDIR /src
COPY . .
RUN make build VERSION=${VERSION}

FROM ${BASE_IMAGE} AS base
ARG VERSION=devel
LABEL org.opencontainers.image.title="gatehouse" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/gatehouse-auth/gatehouse" \
      org.opencontainers.image.version="${VERSION}"
USER 65532:65532
ENTRYPOINT ["/operator"]

FROM base AS compiled
COPY --from=compile /src/bin/operator /src/bin/authserver /

FROM base
COPY bin/operator bin/authserver /
