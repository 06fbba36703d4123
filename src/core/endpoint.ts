/** Endpoints as Go writes them: `localhost:9000`, `[::1]:9000`, `:9000`. */

/**
 * Where a server listens. An IPv6 host has no brackets, and an absent host is empty. Port 0 asks for any free
 * port.
 */
export interface Endpoint {
  readonly hostname: string;
  readonly port: number;
}

const MAX_PORT = 65_535;
/** RFC 1035 section 2.3.4: a name has at most 255 octets on the wire, 253 as text. */
const MAX_HOSTNAME_CHARS = 253;
/** DNS labels, plus the underscore, which container names have. */
const HOSTNAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** The host and port, or undefined when `text` is not an address. `defaultPort` replaces an absent port. */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint | undefined {
  const [, ipv6, name, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const hostname = ipv6 ?? name;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (hostname === undefined || port === undefined || port > MAX_PORT) return undefined;
  const known = ipv6 === undefined ? hostname === "" || isHostname(hostname) : isIpv6(hostname);
  return known ? { hostname, port } : undefined;
}

/** The form that {@link parseEndpoint} reads back. */
export function endpointText({ hostname, port }: Endpoint): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function isHostname(text: string): boolean {
  // Digits and dots alone are an IPv4 address or a typing error, never a name.
  if (/^[\d.]+$/.test(text)) return IPV4.test(text);
  return text.length <= MAX_HOSTNAME_CHARS && HOSTNAME.test(text) && !text.includes("..");
}

/** Whether `text` is an IPv6 address, with or without a zone: `::1`, `fe80::1%eth0`. */
function isIpv6(text: string): boolean {
  return URL.canParse(`http://[${text.replace(/%[A-Za-z0-9_.-]+$/, "")}]/`);
}
