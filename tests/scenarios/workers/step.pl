#!/usr/bin/perl
# A step that leaves a trace of its life: begin and end go to the file `trace` of the clipboard, under a lock, and a lock of the
# step's own, held for life, tells whether two attempts ever overlap. Called stepN, or longN for one that goes on for a second.
# Adds `stepN: done` to the clipboard unless it is there.
use strict;
use warnings;
use Fcntl qw(:flock);

my $name = shift @ARGV;
my $clipboard = do { local $/; <STDIN> };
my ($trace) = $clipboard =~ /^trace: (.*)$/m or die "no trace on the clipboard\n";

sub note {
    open my $out, '>>', $trace or die "$trace: $!\n";
    flock $out, LOCK_EX or die "$trace: $!\n";
    syswrite $out, "$_[0] $name $ENV{JARVIS_STEP} $ENV{JARVIS_ATTEMPT} $$\n";
    close $out;
}

open my $own, '>', "$trace.$ENV{JARVIS_STEP}" or die "$trace.$ENV{JARVIS_STEP}: $!\n";
note('overlap') unless flock $own, LOCK_EX | LOCK_NB;
note('begin');
select undef, undef, undef, 1 if $name =~ /^long/;
note('end');
print $clipboard;
print "$name: done\n" unless $clipboard =~ /^$name: /m;
