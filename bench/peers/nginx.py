"""nginx: its stream module for L4, its proxy module for L7."""

from peers.system import System

MAIN = """\
# One worker, as everybody has here, in the foreground so that the runner can stop it.
worker_processes 1;
daemon off;
user nobody nogroup;
pid {directory}/nginx.pid;
error_log stderr crit;
# 5,000 idle clients have 5,000 connections to the app.
worker_rlimit_nofile 20000;
events {{
    worker_connections 18000;
    # With one worker there is nobody to share the listener with.
    accept_mutex off;
}}
"""

TLS = """\
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        # The same for everybody: TLS 1.2 and 1.3, X25519 first, tickets.
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384;
        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256;
        ssl_prefer_server_ciphers on;
        ssl_ecdh_curve X25519:prime256v1;
        ssl_session_tickets on;
        # Tickets make a server-side cache superfluous.
        ssl_session_cache off;
"""

STREAM = """\
stream {{
    access_log off;
    server {{
        # A backlog that no burst of the generator fills.
        listen 127.0.0.1:{port} ssl backlog=4096;
{tls}
        # 16 KiB, the default: bigger ones cost every idle connection, which owns two.
        proxy_buffer_size 16k;
        # An idle connection must live through the whole measurement.
        proxy_timeout 5m;
        proxy_connect_timeout 5s;
        proxy_pass 127.0.0.1:{app_port};
    }}
}}
"""

HTTP = """\
http {{
    access_log off;
    server_tokens off;
    default_type text/plain;
    # Connections to the app are kept, with what HTTP/1.1 needs for it.
    upstream app {{
        server 127.0.0.1:{app_port};
        keepalive 256;
        keepalive_requests 100000000;
        keepalive_timeout 5m;
    }}
    server {{
        listen 127.0.0.1:{port} ssl{http2} backlog=4096;
{tls}
        keepalive_timeout 5m;
        keepalive_requests 100000000;
        tcp_nodelay on;
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            # What every reverse proxy is asked to add.
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            # Nothing goes through the disk, neither way, and an upload is not collected first.
            proxy_max_temp_file_size 0;
            proxy_request_buffering off;
            client_max_body_size 0;
            client_body_buffer_size 64k;
            # Several records' worth at once for downloads; these buffers live as long as a request.
            proxy_buffers 8 32k;
            proxy_busy_buffers_size 64k;
        }}
    }}
    # Unused, but their default paths belong to the packaged service.
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
}}
"""

STREAM_MODULE = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n"


class Nginx(System):
    name = "nginx"
    modes = ("tcp", "http", "h2")
    packages = ("nginx", "libnginx-mod-stream")
    program = "nginx"

    def command(self, place):
        values = {
            "directory": place.directory,
            "port": place.port,
            "app_port": place.app_port,
            "http2": " http2" if place.mode == "h2" else "",
            "tls": TLS.format(certificate=place.certificate, key=place.key),
        }
        text = MAIN.format(**values)
        if place.mode == "tcp":
            text = STREAM_MODULE + text + STREAM.format(**values)
        else:
            text += HTTP.format(**values)
        config = place.write("nginx.conf", text)
        return ["nginx", "-p", str(place.directory), "-e", "stderr", "-c", str(config)]
