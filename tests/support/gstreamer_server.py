"""GStreamer's RTSP server with cameras ``0``, ``1``, ..., for the system's Python; prints its port.

    /usr/bin/python3 gstreamer_server.py USER PASSWORD CLIP [CLIP ...]

An implementation that shares nothing with ours, neither in RTSP nor in RTP nor in RTCP.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

ROLE = "viewer"


def main(user, password, *clips):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")

    for number, clip in enumerate(clips):
        codec = "h265" if "h265" in clip else "h264"
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(
            f'( filesrc location="{clip}" ! qtdemux ! {codec}parse ! rtp{codec}pay name=pay0 pt=96 '
            "config-interval=1 )"
        )
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role(ROLE)
        for what in ("access", "construct"):
            permissions.add_permission_for_role(ROLE, f"media.factory.{what}", True)
        factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{number}", factory)

    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    login = GstRtspServer.RTSPAuth()
    login.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(login)

    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
