FROM docker.io/library/golang:1.26-bookworm AS build
ARG GOPROXY=https://proxy.golang.org,direct
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=0.1.0-dev
ARG REVISION=unknown
ARG BRANCH=unknown
ARG BUILD_USER=unknown
ARG BUILD_DATE=unknown
RUN about=github.com/prometheus/common/version && \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w \
      -X $about.Version=$VERSION -X $about.Revision=$REVISION -X $about.Branch=$BRANCH \
      -X $about.BuildUser=$BUILD_USER -X $about.BuildDate=$BUILD_DATE" \
      -o /integra_exporter ./cmd/integra_exporter
# The demo writes what it plays with to /tmp; nothing else writes anything.
RUN mkdir -p /empty/tmp && chmod 1777 /empty/tmp

FROM scratch
COPY --from=build /empty /
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /integra_exporter /bin/integra_exporter
# config.yml, and the paths in it, are looked for here.
WORKDIR /etc/integra_exporter
USER 65534:65534
EXPOSE 10056
ENTRYPOINT ["/bin/integra_exporter"]
