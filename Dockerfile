# The image of kratix-schedule: one static binary, CA certificates, no shell.
#
# It serves state stores behind http(s), ssh and S3. A file:// store is written
# through the git program, which this image does not hold: for such a store run
# the binary where git is installed.

# The digest is that of the index with all platforms. docs/how-to/build-the-image.md says how to change it.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm@sha256:dc9ad6c05acc7a88e5b71bde60a5fe3bd4b9f0db209011711b464107438a8107 AS build
WORKDIR /src

# Modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG VERSION=dev COMMIT= DATE=
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath -buildvcs=false \
        -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT} -X main.date=${DATE}" \
        -o /out/kratix-schedule ./cmd/kratix-schedule \
    && install -d -m 1777 /out/tmp

FROM scratch
ARG VERSION=dev COMMIT= DATE=
LABEL org.opencontainers.image.title="kratix-schedule" \
      org.opencontainers.image.description="Places Kratix Works on Destinations, checks them as Flux would, and writes them to state stores" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/kratix-schedule/kratix-schedule" \
      org.opencontainers.image.documentation="https://github.com/kratix-schedule/kratix-schedule/blob/main/README.md" \
      org.opencontainers.image.vendor="kratix-schedule" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.created="${DATE}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/ /
USER 65532:65532
ENTRYPOINT ["/kratix-schedule"]
