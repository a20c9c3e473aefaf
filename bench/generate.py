#!/usr/bin/env python3
"""Writes a large configuration to standard output: many pools, each with a route to it.

    bench/generate.py haproxy 5000              5000 pools
    bench/generate.py nginx 100000 --lines      as many pools as make 100,000 lines

The real programs accept what it writes. Pools differ in size, algorithm, weights and checks, in a fixed pattern: the
same arguments give the same bytes. With --changed, one server of one pool in the middle gets a higher weight.
"""

import argparse
import sys

HAPROXY_START = """\
global
    log 127.0.0.1:514 local0
    maxconn 20000

defaults
    mode http
    log global
    option httplog
    option redispatch
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout queue 5s
    timeout check 1s

frontend all
    bind 127.0.0.1:8080
    maxconn 10000
"""

NGINX_START = """\
worker_processes 2;
pid /tmp/nginx-bench.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
    client_body_temp_path /tmp/nginx-bench-body;
    proxy_temp_path /tmp/nginx-bench-proxy;
    fastcgi_temp_path /tmp/nginx-bench-fastcgi;
    uwsgi_temp_path /tmp/nginx-bench-uwsgi;
    scgi_temp_path /tmp/nginx-bench-scgi;
    access_log syslog:server=127.0.0.1:514;
    server {
        listen 127.0.0.1:8080;
        server_name bench.internal;
"""

ENVOY_START = """\
static_resources:
  listeners:
  - name: all
    address: { socket_address: { address: 127.0.0.1, port_value: 8080 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: all
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
"""
ENVOY_END = """\
overload_manager:
  resource_monitors:
  - name: envoy.resource_monitors.global_downstream_max_connections
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
      max_active_downstream_connections: 10000
"""


def servers(pool, changed):
    """Three to five servers as (ip, weight), the weights equal in most pools and in two sizes in some."""
    weights = [10] * (3 + pool % 3)
    if pool % 7 == 0:
        weights[0] = 20
    if changed:
        weights[1] = 40
    return [(f"10.{pool // 65536 % 256}.{pool // 256 % 256}.{pool % 256}", w) for w in weights]


def haproxy(pools, changed):
    yield HAPROXY_START
    for pool in range(1, pools):
        yield f"    use_backend pool{pool} if {{ path_beg /pool{pool}/ }}\n"
    yield "    default_backend pool0\n"
    algorithms = ("roundrobin", "leastconn", "source", "uri")
    for pool in range(pools):
        yield f"\nbackend pool{pool}\n    balance {algorithms[pool % 4]}\n    option httpchk GET /healthz\n"
        yield "    http-check expect status 200\n    default-server check inter 2s fall 3 rise 2 maxconn 200\n"
        for number, (ip, weight) in enumerate(servers(pool, pool == changed)):
            yield f"    server s{number} {ip}:{8000 + number} weight {weight}\n"


def nginx(pools, changed):
    yield NGINX_START
    for pool in range(1, pools):
        yield f"        location /pool{pool}/ {{ proxy_pass http://pool{pool}; }}\n"
    yield "        location / {\n            proxy_pass http://pool0;\n        }\n    }\n"
    algorithms = ("", "    least_conn;\n", "    ip_hash;\n", "    hash $request_uri consistent;\n")
    for pool in range(pools):
        yield f"\nupstream pool{pool} {{\n{algorithms[pool % 4]}"
        for number, (ip, weight) in enumerate(servers(pool, pool == changed)):
            yield f"    server {ip}:{8000 + number} weight={weight} max_fails=3 fail_timeout=10s;\n"
        yield "    keepalive 16;\n}\n"
    yield "}\n"


def envoy(pools, changed):
    yield ENVOY_START
    for pool in range(1, pools):
        yield f"              - {{ match: {{ prefix: /pool{pool}/ }}, route: {{ cluster: pool{pool}, timeout: 15s }} }}\n"
    yield "              - { match: { prefix: / }, route: { cluster: pool0, timeout: 15s } }\n  clusters:\n"
    for pool in range(pools):
        policy = ("ROUND_ROBIN", "LEAST_REQUEST")[pool % 2]
        yield f"  - name: pool{pool}\n    type: STATIC\n    connect_timeout: 2s\n    lb_policy: {policy}\n"
        yield "    outlier_detection: { consecutive_5xx: 5, max_ejection_percent: 50 }\n"
        yield f"    load_assignment:\n      cluster_name: pool{pool}\n      endpoints:\n      - lb_endpoints:\n"
        for number, (ip, weight) in enumerate(servers(pool, pool == changed)):
            address = f"address: {{ socket_address: {{ address: {ip}, port_value: {8000 + number} }} }}"
            yield f"        - {{ load_balancing_weight: {weight}, endpoint: {{ {address} }} }}\n"
    yield ENVOY_END


DIALECTS = {"haproxy": haproxy, "nginx": nginx, "envoy": envoy}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dialect", choices=DIALECTS)
    parser.add_argument("count", type=int, help="number of pools, at least 2")
    parser.add_argument("--lines", action="store_true", help="the count is a number of lines instead")
    parser.add_argument("--changed", action="store_true", help="change one weight")
    options = parser.parse_args()
    write = DIALECTS[options.dialect]

    pools = options.count
    if options.lines:
        # The pattern of pools repeats every 420, so two samples tell the size of all.
        one, two = ("".join(write(pools, None)).count("\n") for pools in (420, 840))
        pools = (options.count - (2 * one - two)) * 420 // (two - one) + 2
    if pools < 2:
        parser.error("too few pools")
    sys.stdout.writelines(write(pools, pools // 2 if options.changed else None))


if __name__ == "__main__":
    main()
