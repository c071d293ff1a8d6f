"""One mail to one server: only to where it may go, encrypted as asked, bounded in time."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass, field

import aiosmtplib
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

from modelward.alerts.receiver import Mail, ReceiverReply
from modelward.desired.text_egress import in_cluster
from modelward.job.delivery.reach import ForbiddenAddressError, Reach
from modelward.job.delivery.secret_files import SecretError, SecretFiles
from modelward.job.delivery.way_out import WayOut

HELO = "modelward"


@dataclass(frozen=True, slots=True)
class MailSender:
    """Sends mail; a server that takes some of the recipients is not asked again."""

    reach: Reach
    secrets: SecretFiles = field(default_factory=SecretFiles)
    resolver: AbstractResolver | None = None
    tls: ssl.SSLContext | None = None
    way: WayOut = field(default_factory=WayOut)

    async def send(self, mail: Mail) -> ReceiverReply:
        """Return the server's last code; never raises."""
        host, _, port = mail.server.rpartition(":")
        if told := self._refusal(mail, host):
            return ReceiverReply(0, error=f"Forbidden ({told})")
        try:
            password = self.secrets.value(mail.password) if mail.password else None
            async with asyncio.timeout(mail.timeout_s):
                return await self._sent(mail, host, int(port), password)
        except SecretError as error:
            return ReceiverReply(0, error=str(error))
        except ForbiddenAddressError as error:
            return ReceiverReply(0, error=f"Forbidden ({error})")
        except aiosmtplib.SMTPRecipientsRefused as error:
            return ReceiverReply(max((one.code for one in error.recipients), default=0), error="Refused")
        except aiosmtplib.SMTPResponseException as error:
            return ReceiverReply(error.code if error.code >= 400 else 0, error="NoAnswer")
        except aiosmtplib.SMTPNotSupported:
            return ReceiverReply(0, error="NoStartTLS (the server offers no encryption or no login)")
        except ssl.SSLError:
            return ReceiverReply(0, error="TLS (the certificate is not accepted)")
        except TimeoutError:
            return ReceiverReply(0, error="Timeout")
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            broken = isinstance(error.__cause__, ssl.SSLError)
            return ReceiverReply(0, error="TLS (the certificate is not accepted)" if broken else "Unreachable")

    def _refusal(self, mail: Mail, host: str) -> str:
        if mail.security == "None" and not in_cluster(host):
            return "security None is for Services of the cluster, written NAME.NAMESPACE.svc"
        return self.reach.refusal("https", host)

    async def _sent(self, mail: Mail, host: str, port: int, password: str | None) -> ReceiverReply:
        client = aiosmtplib.SMTP(
            hostname=host,
            sock=await self._connected(host, port),
            local_hostname=HELO,
            timeout=mail.timeout_s,
            use_tls=mail.security == "TLS",
            start_tls=False,
            tls_context=None if mail.security == "None" else self.tls or self.way.trusted,
        )
        async with client:
            if mail.security == "StartTLS":
                await client.ehlo()
                if not client.supports_extension("starttls"):
                    raise aiosmtplib.SMTPNotSupported("STARTTLS")
                await client.starttls()
            if password is not None:
                await client.login(mail.username, password)
            await client.sendmail(mail.sender, list(mail.to), mail.raw)
        return ReceiverReply(250)

    async def _connected(self, host: str, port: int) -> socket.socket:
        """Return a socket to the first address that answers, each checked before."""
        found = await (self.resolver or ThreadedResolver()).resolve(host, port, socket.AF_UNSPEC)
        last: OSError = OSError("no address")
        for one in found:
            self.reach.check(one["host"])
            made = socket.socket(one["family"], socket.SOCK_STREAM)
            made.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(made, (one["host"], one["port"]))
            except OSError as error:
                made.close()
                last = error
            except BaseException:
                made.close()
                raise
            else:
                return made
        raise last
