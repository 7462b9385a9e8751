#!/usr/bin/perl
# A link between two network namespaces with a delay, a loss, a rate and a queue of its own each way: two TUN devices and what carries
# packets from one to the other. The kernel's own netem is not in every kernel. Perl, as every Debian has it and it needs no compiler.
#
#   link.pl NAMESPACE DEVICE DELAY,LOSS,RATE,QUEUE NAMESPACE DEVICE DELAY,LOSS,RATE,QUEUE
#
# Each triple is an end of the link and what happens to packets that leave from it: milliseconds one way, percent, Mbit/s (0 is no limit)
# and kilobytes that may wait for their turn. Says "ready" when both devices are there. Ends, and the devices with it, when its input ends.
use strict;
use warnings;
use Fcntl qw(F_SETFL F_GETFL O_NONBLOCK);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant TUNSETIFF => 0x400454ca;
use constant { IFF_TUN => 1, IFF_NO_PI => 0x1000 };
# Packets taken from one device before the other gets its turn.
use constant BURST => 64;
# Packets that a device holds until this program has the processor: the queue that counts is the one here.
use constant DEVICE_QUEUE => 5000;
# The largest packet (bytes).
use constant LARGEST => 65536;

sub now { clock_gettime(CLOCK_MONOTONIC) }

# Creates a TUN device under a passing name, and moves it to where it belongs.
sub tun {
  my ($namespace, $device, $number) = @_;
  open(my $file, '+<', '/dev/net/tun') or die "There is no /dev/net/tun: $!\n";
  my $name = "kl$$-$number";
  ioctl($file, TUNSETIFF, pack('a16 S x22', $name, IFF_TUN | IFF_NO_PI)) or die "No TUN device can be made: $!\n";
  system('ip', 'link', 'set', 'dev', $name, 'txqueuelen', DEVICE_QUEUE) == 0 or die "$name takes no settings.\n";
  system('ip', 'link', 'set', 'dev', $name, 'netns', $namespace, 'name', $device) == 0 or die "$name can't move to $namespace.\n";
  fcntl($file, F_SETFL, fcntl($file, F_GETFL, 0) | O_NONBLOCK) or die "fcntl: $!\n";
  return $file;
}

setpriority(0, 0, -20); # a link that waits for the processor adds a delay of its own

my @ends;
for my $number (0, 1) {
  my ($namespace, $device, $settings) = splice(@ARGV, 0, 3);
  my ($delay, $loss, $rate, $queue) = split(/,/, $settings);
  push @ends, {
    file => tun($namespace, $device, $number),
    delay => $delay / 1000,
    loss => $loss / 100,
    second => $rate > 0 ? 8 / ($rate * 1e6) : 0, # for one byte
    queue => $queue * 1000,
    free => 0, # when the last packet will have left
    times => [], packets => [], # on their way
    number => $number,
  };
}
my ($a, $b) = @ends;
$a->{to} = $b->{file};
$b->{to} = $a->{file};
$| = 1;
print "ready\n";

my $input = fileno(STDIN);
my $watched = '';
vec($watched, fileno($_->{file}), 1) = 1 for @ends;
vec($watched, $input, 1) = 1;

while (1) {
  my $due;
  for my $end (@ends) {
    my $first = $end->{times}[0];
    $due = $first if defined $first && (!defined $due || $first < $due);
  }
  my $wait = defined $due ? $due - now() : undef;
  $wait = 0 if defined $wait && $wait < 0;
  my $readable = $watched;
  select($readable, undef, undef, $wait);
  if (vec($readable, $input, 1)) { exit 0 unless sysread(STDIN, my $ignored, 4096) }
  my $time = now();
  for my $end (@ends) {
    my ($times, $packets, $to) = @$end{qw(times packets to)};
    # What the device can't take now is lost, as in a router.
    while (@$times && $times->[0] <= $time) {
      shift @$times;
      syswrite($to, shift @$packets);
    }
    next unless vec($readable, fileno($end->{file}), 1);
    my ($file, $delay, $loss, $second, $queue) = @$end{qw(file delay loss second queue)};
    for (1 .. BURST) {
      my $size = sysread($file, my $packet, LARGEST) or last;
      my $free = $end->{free};
      $free = $time if $free < $time;
      next if $free > $time && ($free - $time) / $second + $size > $queue;
      $end->{free} = $free += $size * $second;
      next if $loss && rand() < $loss;
      push @$times, $free + $delay;
      push @$packets, $packet;
    }
  }
}
