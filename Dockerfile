# The image of kratix-schedule: one static binary, CA certificates, no shell.
#
# It serves state stores behind http(s), ssh and S3. A file:// store is written
# through the git program, which this image does not hold: for such a store run
# the binary where git is installed.

FROM golang:1.26 AS build
WORKDIR /src

# Modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false \
        -ldflags "-s -w -X main.version=${VERSION}" \
        -o /out/kratix-schedule ./cmd/kratix-schedule \
    && install -d -m 1777 /out/tmp

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="kratix-schedule" \
      org.opencontainers.image.description="Places Kratix Works on Destinations, checks them as Flux would, and writes them to state stores" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/kratix-schedule/kratix-schedule" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/ /
USER 65532:65532
ENTRYPOINT ["/kratix-schedule"]
