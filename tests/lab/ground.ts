/** What the lab stands on: Linux, root, network namespaces, and some programs, which it installs itself where it can. */
import { spawnSync } from 'node:child_process';
import { platform } from 'node:os';
import { findChromium, findProgram } from '../chromium.mjs';

/** A program, how to see that it works, and the Debian package that has it. */
interface Tool {
  readonly name: string;
  readonly test: readonly string[];
  readonly aptPackage: string;
}

const TOOLS: readonly Tool[] = [
  { name: 'ip', test: ['ip', '-Version'], aptPackage: 'iproute2' },
  { name: 'nft', test: ['nft', '--version'], aptPackage: 'nftables' },
  { name: 'turnserver', test: ['turnserver', '--version'], aptPackage: 'coturn' },
  { name: 'perl with Time::HiRes', test: ['perl', '-MTime::HiRes', '-e1'], aptPackage: 'perl' },
];
/** A package mirror that never answers must not hang the lab (ms). */
const INSTALL_TIMEOUT = 10 * 60_000;

/** Whether the lab can run here; installs what is missing. Null when it can, else why it can't and what to do. Says what it installs. */
export function missingGround(say: (line: string) => void): string | null {
  if (platform() !== 'linux')
    return 'The lab makes network namespaces, which only Linux has. Run it on a Linux machine or in a virtual one.';
  if (process.getuid?.() !== 0) return 'The lab makes network namespaces, which only root may. Run it as root: sudo npm run lab';
  const missing = TOOLS.filter((tool) => !works(tool.test));
  if (missing.length > 0) install(missing, say);
  const still = missing.filter((tool) => !works(tool.test));
  if (still.length > 0) {
    const names = still.map(({ name }) => name).join(', ');
    const packages = still.map(({ aptPackage }) => aptPackage).join(' ');
    return `The lab needs ${names}, not found here and not to be installed. On Debian or Ubuntu: apt-get update && apt-get install -y ${packages}`;
  }
  if (!findChromium())
    return 'The lab needs Chromium or Chrome. Install one (Debian: apt-get install chromium), or name it in CHROME_PATH.';
  return namespaceTrouble();
}

/** Makes a namespace with a NAT table and removes it: containers often may not. */
function namespaceTrouble(): string | null {
  const name = `kadlab-try-${process.pid}`;
  const made = run(['ip', 'netns', 'add', name]);
  if (made !== null)
    return `This machine gives no network namespaces (${made}). In a container they need CAP_SYS_ADMIN: use a privileged one, or a virtual machine.`;
  try {
    const rules = 'table ip kadreel { chain out { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }\n}\n';
    const ruled = run(['ip', 'netns', 'exec', name, 'nft', '-f', '-'], rules);
    if (ruled !== null) return `This machine's kernel has no NAT by nftables (${ruled}). Load nf_tables and nf_nat, or use another kernel.`;
    const tunnel = run(['ip', '-n', name, 'tuntap', 'add', 'dev', 'try', 'mode', 'tun']);
    if (tunnel !== null)
      return `This machine gives no TUN devices, which links with a delay are made of (${tunnel}). Make /dev/net/tun available.`;
    return null;
  } finally {
    run(['ip', 'netns', 'del', name]);
  }
}

function install(tools: readonly Tool[], say: (line: string) => void): void {
  if (!findProgram('apt-get')) return;
  const packages = tools.map(({ aptPackage }) => aptPackage);
  say(`Installing ${packages.join(', ')} (apt-get) …`);
  const apt = (...args: string[]): void => {
    spawnSync('apt-get', ['-qq', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: INSTALL_TIMEOUT,
    });
  };
  apt('update');
  apt('install', '-y', '--no-install-recommends', ...packages);
  // Debian would run a TURN server on this machine from now on; the lab starts its own, in a namespace.
  if (packages.includes('coturn') && findProgram('systemctl')) run(['systemctl', 'disable', '--now', 'coturn']);
}

function works(test: readonly string[]): boolean {
  return run(test) === null;
}

/** Null when it ended well, else what it said. */
function run([name = '', ...args]: readonly string[], input = ''): string | null {
  const { status, stderr, error } = spawnSync(name, args, { input, encoding: 'utf8' });
  return status === 0 ? null : stderr?.trim() || error?.message || `${name} ended with ${status}`;
}
