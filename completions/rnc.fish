complete -c rnc -l queue -d 'With -lk: how many bytes may wait for one client' -r -f
complete -c rnc -l relay -d 'With -l: join each client to a connection to TARGET' -r -f -a "(__fish_print_hostnames)"
complete -c rnc -l parallel -d 'With -z: how many ports are tried at once' -r -f
complete -c rnc -s e -l exec -d 'Run a program for each peer; no shell' -r -f -a "(__fish_complete_command)"
complete -c rnc -s c -l sh-exec -d 'The same for a line of shell, run by /bin/sh -c' -r -f -a "(__fish_complete_command)"
complete -c rnc -l shutdown -d 'When the end of input is passed on: now, never, or TIME' -r -f
complete -c rnc -s q -l quit -d 'Leave TIME after the end of input and the last byte' -r -f
complete -c rnc -s w -l wait -d 'Give up after TIME of connecting, or of silence' -r -f
complete -c rnc -l until -d 'Leave at the end of: peer, stdin, both; or never' -r -f -a "peer\t''
stdin\t''
both\t''
never\t''"
complete -c rnc -s W -l recv-limit -d 'Leave after N reads from the network' -r -f
complete -c rnc -l idle-timeout -d 'End a connection where nothing moves for TIME' -r -f
complete -c rnc -l timeout -d 'End a connection after TIME, whatever moves' -r -f
complete -c rnc -l retry -d 'Connect again and again until it works' -r -f
complete -c rnc -l max-bytes -d 'End a connection after SIZE bytes' -r -f
complete -c rnc -l max-conns -l max-clients -d 'With -l: no more than N clients at once' -r -f
complete -c rnc -l accept-timeout -d 'With -l: give up when no client connects within TIME' -r -f
complete -c rnc -l grace -d 'With -l: at SIGTERM, give clients TIME to finish' -r -f
complete -c rnc -l port-file -d 'With -l: write the port to a file' -r -F
complete -c rnc -s i -l interval -d 'Pause after each line sent, or each port tried' -r -f
complete -c rnc -l datagram-size -d 'With -u: longest datagram made of standard input' -r -f
complete -c rnc -l framing -d 'With -u: how datagrams stand in the data: line, len, raw' -r -f -a "line\t''
len\t''
raw\t''"
complete -c rnc -l output -d 'Write down what passes, both ways, in FILE' -r -F
complete -c rnc -l log-format -d 'How --output looks: plain, tagged or json' -r -f -a "plain\t''
tagged\t''
json\t''"
complete -c rnc -l hex-dump -d 'The same in hexadecimal, as hexdump -C has it' -r -F
complete -c rnc -s s -l source -d 'Address to send from, or to listen on' -r -f
complete -c rnc -s p -l source-port -d 'Port to send from, or to listen on' -r -f
complete -c rnc -l join -d 'With -u -l: join a multicast group' -r -f
complete -c rnc -l multicast-loop -d 'With -u: whether groups on this machine hear what is sent' -r -f -a "yes\t''
no\t''"
complete -c rnc -s T -l tos -d 'Type of service, or traffic class, of what is sent' -r -f
complete -c rnc -s M -l ttl -d 'TTL or hop limit of what is sent' -r -f
complete -c rnc -s m -l min-ttl -d 'Drop packets whose TTL or hop limit is under N' -r -f
complete -c rnc -s I -l recv-buffer -d 'Size of the socket\'s receive buffer' -r -f
complete -c rnc -s O -l send-buffer -d 'Size of the socket\'s send buffer' -r -f
complete -c rnc -l allow -d 'With -l: only these hosts; all others are refused' -r -f
complete -c rnc -l deny -d 'With -l: not these hosts, even if allowed' -r -f
complete -c rnc -l allowfile -d 'As --allow, with the hosts in a file' -r -F
complete -c rnc -l denyfile -d 'As --deny, with the hosts in a file' -r -F
complete -c rnc -l allow-uid -d 'With -lU: only processes of this user' -r -f -a "(__fish_complete_users)"
complete -c rnc -l mode -d 'With -lU: permissions of the socket\'s file' -r -f
complete -c rnc -s x -l proxy -d 'Connect through this proxy' -r -f -a "(__fish_print_hostnames)"
complete -c rnc -s X -l proxy-type -d 'What it speaks: 5 (SOCKS5, the default), 4, 4a, connect' -r -f -a "5\t''
4\t''
4a\t''
connect\t''"
complete -c rnc -s P -l proxy-user -d 'User for the proxy' -r -f
complete -c rnc -l proxy-auth -d 'User and password for the proxy' -r -f
complete -c rnc -l proxy-dns -d 'Who looks names up: local, remote, both, none' -r -f -a "local\t''
remote\t''
both\t''
none\t''"
complete -c rnc -l tls-ca -d 'Trust the authorities in FILE, not the system\'s' -r -F
complete -c rnc -l tls-pin -d 'Trust only the certificate with this fingerprint' -r -f
complete -c rnc -l tls-servername -d 'The server\'s name, if not the HOST that was dialled' -r -f -a "(__fish_print_hostnames)"
complete -c rnc -l tls-cert -d 'Our own certificate' -r -F
complete -c rnc -l tls-key -d 'Its private key' -r -F
complete -c rnc -l tls-save -d 'With -l: keep the certificate that is made in DIR' -r -f -a "(__fish_complete_directories)"
complete -c rnc -l tls-client-ca -d 'With -l: only clients with a certificate of these authorities' -r -F
complete -c rnc -l tls-client-pin -d 'With -l: only the client with this certificate' -r -f
complete -c rnc -l tls-alpn -d 'Protocols to offer (ALPN), the best first: h2,http/1.1' -r -f
complete -c rnc -l tls-min -d 'The oldest version to speak: 1.2 or 1.3' -r -f -a "1.2\t''
1.3\t''"
complete -c rnc -l tls-max -d 'The newest version to speak: 1.2 or 1.3' -r -f -a "1.2\t''
1.3\t''"
complete -c rnc -l tls-ciphers -d 'Cipher suites to use; a client\'s best first' -r -f
complete -c rnc -l starttls -d 'Begin in plain text, and ask for TLS' -r -f -a "smtp\t''
lmtp\t''
imap\t''
pop3\t''
sieve\t''
nntp\t''
ftp\t''
xmpp\t''
xmpp-server\t''
postgres\t''
ldap\t''
mysql\t''"
complete -c rnc -l as -d 'Behave as this program: nc (OpenBSD\'s), ncat, or rnc' -r -f -a "nc\t''
ncat\t''
rnc\t''"
complete -c rnc -s l -l listen -d 'Listen for a connection instead of making one'
complete -c rnc -s k -l keep-open -d 'With -l: serve many clients, all at once'
complete -c rnc -l broker -d 'With -l: clients talk to each other; --chat: with names'
complete -c rnc -l chat -d 'As --broker, line by line, with names: <user1> hello'
complete -c rnc -l tag -d 'With -lk or -u: put [ADDRESS:PORT] before each line received'
complete -c rnc -l inetd -d 'Serve the socket that is standard input, as inetd(8) has it'
complete -c rnc -s u -l udp -d 'UDP instead of TCP; with -U datagrams'
complete -c rnc -s U -l unixsock -d 'A Unix socket: one operand, a path or @NAME (abstract)'
complete -c rnc -l sctp -d 'SCTP instead of TCP'
complete -c rnc -l vsock -d 'Sockets between a virtual machine and its host'
complete -c rnc -l echo -d 'With -l: send each client back what it sends'
complete -c rnc -l discard -d 'With -l: throw away what clients send'
complete -c rnc -l chargen -d 'With -l: send clients a pattern of characters without end'
complete -c rnc -l daytime -d 'With -l: send clients the date and the time, and end'
complete -c rnc -s z -l zero -l scan -d 'Only see whether ports are open'
complete -c rnc -s r -l randomize -d 'Try ports in random order'
complete -c rnc -s F -l pass-fd -d 'Pass the connected socket to standard output and leave'
complete -c rnc -l pty -d 'Give the program a terminal instead of pipes'
complete -c rnc -l exec-status -d 'Leave with the program\'s exit code'
complete -c rnc -s N -l shutdown-now -d 'Pass on the end of standard input at once'
complete -c rnc -l no-shutdown -d 'Do not pass on the end of standard input'
complete -c rnc -s d -l no-stdin -l recv-only -d 'Do not read standard input'
complete -c rnc -l send-only -d 'Only send; leave at the end of standard input'
complete -c rnc -l ignore-refused -d 'With -u: go on when the peer refuses a datagram'
complete -c rnc -s C -l crlf -d 'Send line ends as CR LF'
complete -c rnc -s t -l telnet -d 'Answer telnet options, and keep them out of the data'
complete -c rnc -l append-output -d 'Keep what is in the files of --output and --hex-dump'
complete -c rnc -l hex -d 'Show it in hexadecimal on standard error'
complete -c rnc -s 4 -l ipv4 -d 'IPv4 only'
complete -c rnc -s 6 -l ipv6 -d 'IPv6 only'
complete -c rnc -s n -l nodns -d 'Look up no names of hosts: they have to be addresses'
complete -c rnc -s b -l broadcast -d 'Allow broadcast'
complete -c rnc -s S -l md5sig -d 'Sign TCP segments (RFC 2385)'
complete -c rnc -s D -l debug -d 'Set SO_DEBUG on the socket'
complete -c rnc -l tls -d 'Encrypt; the server\'s certificate is checked'
complete -c rnc -l tls-no-verify -d 'Trust any certificate: the connection can be listened to'
complete -c rnc -l tls-verify -d 'Check the server\'s certificate (rnc always does)'
complete -c rnc -s v -l verbose -d 'Say what happens; twice: addresses tried, totals'
complete -c rnc -s h -l help -d 'Show this help; --help shows all of it'
complete -c rnc -l version -d 'Print the version'
