"""PROXY headers between us and those who speak it best: real HAProxy and real nginx, before us and behind us."""

import pytest

from support.apps import App
from support.balancers import Haproxy, Nginx
from support.http_peers import HttpClient, serve_requests, values_in
from support.ports import free_port
from support.sallyport import http_config, simple_config

REQUIRED = {"mode": "required", "trusted": ["127.0.0.1"]}


def forwarded_for(request):
    body = b"; ".join(values_in(request.head, b"X-Forwarded-For"))
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def plaintext_config(pki, app, proxy_protocol):
    """With a listener of TLS besides: there is no Sallyport without a certificate."""
    config = http_config(pki.pair(), app.address, {"tls": None, "proxy_protocol": proxy_protocol})
    config["listeners"].append(simple_config(pki.pair(), app.address)["listeners"][0])
    return config


def in_haproxy(options):
    """Passes TLS through."""
    return lambda port: Haproxy(f"""
frontend door
    mode tcp
    bind 127.0.0.1:{{port}}
    bind [::1]:{{port}}
    default_backend us
backend us
    mode tcp
    server us 127.0.0.1:{port} {options}
""")


def in_nginx(port):
    return Nginx(f"""
stream {{
    server {{
        listen 127.0.0.1:{{port}};
        listen [::1]:{{port}};
        proxy_pass 127.0.0.1:{port};
        proxy_protocol on;
    }}
}}
""")


BEFORE_US = {
    "haproxy v1": in_haproxy("send-proxy"),
    "haproxy v2": in_haproxy("send-proxy-v2"),
    "haproxy v2 with fields": in_haproxy("send-proxy-v2 proxy-v2-options crc32c,unique-id,ssl,cert-cn,authority"),
    "nginx v1": in_nginx,
}


@pytest.mark.parametrize("balancer", BEFORE_US)
@pytest.mark.parametrize("mode", ["tcp", "http"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_behind_a_balancer_the_client_is_known(start, pki, balancer, mode, host):
    # Goal: what they really send. Method: TLS through the balancer, to us behind it; the log has the client's own address
    # and port, and in mode http the app is told, too.
    with App(serve_requests(forwarded_for)) as app:
        config = (simple_config if mode == "tcp" else http_config)(pki.pair(), app.address)
        config["listeners"][0]["proxy_protocol"] = REQUIRED
        sallyport = start(config)
        with BEFORE_US[balancer](int(config["listeners"][0]["bind"].rpartition(":")[2])) as before:
            with HttpClient((host, before.port), pki.ca) as client:
                own, port = client.socket.getsockname()[:2]
                body = client.get().body
                if mode == "http":
                    assert body == host.encode()
                client.end()
                client.receive_all()
    event = "exchange ended" if mode == "http" else "connection ended"
    named = f"[{own}]:{port}" if ":" in own else f"{own}:{port}"
    line = sallyport.log.wait_for(event=event, client=named)
    assert line["via"].startswith("127.0.0.1:")


def test_behind_a_haproxy_that_ends_tls(start, pki):
    # Goal: the fields of a TLS proxy (version, cipher, CN, authority, unique id, checksum) are taken by our plain
    # listener. Method: HAProxy with a certificate, and every option that it has.
    pair = pki.pair()
    pem = pki.root / "haproxy.pem"
    pem.write_text(pair.cert.read_text() + pair.key.read_text())
    with App(serve_requests(forwarded_for)) as app:
        config = plaintext_config(pki, app, REQUIRED | {"version": "v2"})
        sallyport = start(config)
        with Haproxy(f"""
frontend door
    mode http
    unique-id-format %[uuid()]
    bind 127.0.0.1:{{port}} ssl crt {pem} alpn h2,http/1.1
    default_backend us
backend us
    mode http
    http-reuse never
    server us {config["listeners"][0]["bind"]} send-proxy-v2-ssl-cn proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,crc32c,unique-id,authority
""") as before:
            with HttpClient(("127.0.0.1", before.port), pki.ca) as client:
                own = "%s:%d" % client.socket.getsockname()
                assert client.get().body == b"127.0.0.1"
    assert sallyport.log.wait_for(event="exchange ended", client=own)["via"].startswith("127.0.0.1:")


@pytest.mark.parametrize(("check", "mode"), [("check send-proxy-v2 check-send-proxy", "required"), ("check send-proxy-v2", "optional"),
                                             ("check send-proxy check-send-proxy", "required")])
def test_the_health_checks_of_a_haproxy_call_us_healthy(start, pki, check, mode):
    # Goal: LOCAL headers, and checks without one under `optional`. Method: HAProxy checks by HTTP every 50 ms, and sends
    # clients only to who is healthy; several checks pass in a row, and the app sees the balancer itself as their client.
    with App(serve_requests(forwarded_for)) as app:
        config = plaintext_config(pki, app, {"mode": mode, "trusted": ["127.0.0.1"]})
        sallyport = start(config)
        with Haproxy(f"""
frontend door
    mode tcp
    bind 127.0.0.1:{{port}}
    default_backend us
backend us
    mode tcp
    timeout check 10s
    option httpchk
    http-check send meth GET uri /check ver HTTP/1.1 hdr Host us
    http-check expect status 200
    server us {config["listeners"][0]["bind"]} {check} inter 50 fall 1 rise 2
"""):
            sallyport.log.wait_for(count=5, event="exchange ended", target="/check", status=200)
            # Now: the end of HAProxy may cut a check.
            for line in sallyport.log.matching(event="exchange ended"):
                assert line["client"].startswith("127.0.0.1:") and line["status"] == 200, line


HAPROXY_BEHIND = """
frontend app
    mode http
    bind 127.0.0.1:{port} accept-proxy
    http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port] %[fc_pp_authority]"
"""
NGINX_BEHIND = """
http {
    server {
        listen 127.0.0.1:{port} proxy_protocol;
        location / {
            return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port TLVS";
        }
    }
}
"""
NGINX_TLVS = "$proxy_protocol_tlv_authority $proxy_protocol_tlv_alpn $proxy_protocol_tlv_ssl_version $proxy_protocol_tlv_ssl_verify"


def nginx_behind():
    """The variables of additional fields came with nginx 1.23.2."""
    return Nginx(NGINX_BEHIND.replace("TLVS", NGINX_TLVS if Nginx.version() >= (1, 23, 2) else ""))


@pytest.mark.parametrize("behind", [lambda: Haproxy(HAPROXY_BEHIND), nginx_behind], ids=["haproxy", "nginx"])
@pytest.mark.parametrize("form", ["v1", "v2", "v2-crc32c"])
@pytest.mark.parametrize("mode", ["tcp", "http"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_app_that_speaks_it_knows_its_client(start, pki, behind, form, mode, host):
    # Goal: what we send is read by others as we mean it (HAProxy verifies the checksum). Method: the app answers with what
    # its PROXY header says.
    with behind() as app:
        config = (simple_config if mode == "tcp" else http_config)(pki.pair(), app.address)
        port = free_port()
        config["listeners"][0]["bind"] = f":{port}"
        config["upstreams"]["app"]["send_proxy_protocol"] = form
        start(config)
        with HttpClient((host, port), pki.ca) as client:
            own = client.socket.getsockname()
            said = client.get().body.decode().split()
    assert said[:4] == [own[0], str(own[1]), host, str(port)]
    if form == "v1":
        assert len(said) == 4
    elif isinstance(app, Haproxy):
        assert said[4] == "localhost"
    elif Nginx.version() >= (1, 23, 2):
        assert said[4:7] == ["localhost", "http/1.1" if mode == "http" else "TLSv1.3", "TLSv1.3" if mode == "http" else "1"]


def test_through_a_balancer_to_an_app_that_speaks_it(start, pki):
    # Goal: the whole chain: HAProxy, us, nginx. Method: as above, with TLS passed through by the first.
    with nginx_behind() as app:
        config = http_config(pki.pair(), app.address, {"proxy_protocol": REQUIRED})
        config["upstreams"]["app"]["send_proxy_protocol"] = "v2"
        start(config)
        ours = int(config["listeners"][0]["bind"].rpartition(":")[2])
        with in_haproxy("send-proxy-v2")(ours) as before, HttpClient(("127.0.0.1", before.port), pki.ca) as client:
            said = client.get().body.decode().split()
            assert said[:4] == ["127.0.0.1", str(client.socket.getsockname()[1]), "127.0.0.1", str(before.port)]
