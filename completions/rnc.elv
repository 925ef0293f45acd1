
use builtin;
use str;

set edit:completion:arg-completer[rnc] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'rnc'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'rnc'= {
            cand --relay 'With -l: join each client to a connection to ADDR'
            cand --parallel 'With -z: how many ports are tried at once'
            cand -q 'Leave TIME after the end of input and the last byte'
            cand --quit 'Leave TIME after the end of input and the last byte'
            cand -w 'Give up after TIME of connecting, or of silence'
            cand --wait 'Give up after TIME of connecting, or of silence'
            cand --until 'Leave at the end of: peer, stdin, both; or never'
            cand -W 'Leave after N reads from the network'
            cand --recv-limit 'Leave after N reads from the network'
            cand --idle-timeout 'End a connection where nothing moves for TIME'
            cand --timeout 'End a connection after TIME, whatever moves'
            cand --max-conns 'With -l: no more than N clients at once'
            cand --max-clients 'With -l: no more than N clients at once'
            cand --accept-timeout 'With -l: give up when nobody comes within TIME'
            cand --port-file 'With -l: write the port to a file'
            cand -i 'Pause after each line sent, or each port tried'
            cand --interval 'Pause after each line sent, or each port tried'
            cand --datagram-size 'With -u: longest datagram made of standard input'
            cand --output 'Write down what passes, both ways, in FILE'
            cand --log-format 'How --output looks: plain, tagged or json'
            cand --hex-dump 'The same in hexadecimal, as hexdump -C has it'
            cand -s 'Address to send from, or to listen on'
            cand --source 'Address to send from, or to listen on'
            cand -p 'Port to send from, or to listen on'
            cand --source-port 'Port to send from, or to listen on'
            cand --join 'With -u -l: join a multicast group'
            cand -T 'Type of service, or traffic class, of what is sent'
            cand --tos 'Type of service, or traffic class, of what is sent'
            cand -M 'TTL or hop limit of what is sent'
            cand --ttl 'TTL or hop limit of what is sent'
            cand -m 'Drop packets whose TTL or hop limit is under N'
            cand --min-ttl 'Drop packets whose TTL or hop limit is under N'
            cand -I 'Size of the socket''s receive buffer'
            cand --recv-buffer 'Size of the socket''s receive buffer'
            cand -O 'Size of the socket''s send buffer'
            cand --send-buffer 'Size of the socket''s send buffer'
            cand -x 'Connect through this proxy'
            cand --proxy 'Connect through this proxy'
            cand -X 'What it speaks: 5 (SOCKS5, the default), 4, 4a, connect'
            cand --proxy-type 'What it speaks: 5 (SOCKS5, the default), 4, 4a, connect'
            cand -P 'User for the proxy'
            cand --proxy-user 'User for the proxy'
            cand --proxy-auth 'User and password for the proxy'
            cand --proxy-dns 'Who looks names up: local, remote, both, none'
            cand --as 'Behave as this program: nc (OpenBSD''s), or rnc'
            cand -l 'Listen for a connection instead of making one'
            cand --listen 'Listen for a connection instead of making one'
            cand -k 'With -l: serve many clients, all at once'
            cand --keep-open 'With -l: serve many clients, all at once'
            cand -u 'UDP instead of TCP; with -U datagrams'
            cand --udp 'UDP instead of TCP; with -U datagrams'
            cand -U 'A Unix socket: one operand, a path or @NAME (abstract)'
            cand --unixsock 'A Unix socket: one operand, a path or @NAME (abstract)'
            cand -z 'Only see whether ports are open'
            cand --zero 'Only see whether ports are open'
            cand --scan 'Only see whether ports are open'
            cand -r 'Try ports in random order'
            cand --randomize 'Try ports in random order'
            cand -F 'Pass the connected socket to standard output and leave'
            cand --pass-fd 'Pass the connected socket to standard output and leave'
            cand -N 'Pass on the end of standard input (rnc always does)'
            cand --shutdown 'Pass on the end of standard input (rnc always does)'
            cand --no-shutdown 'Do not pass on the end of standard input'
            cand -d 'Do not read standard input'
            cand --no-stdin 'Do not read standard input'
            cand --recv-only 'Do not read standard input'
            cand --send-only 'Only send; leave at the end of standard input'
            cand -C 'Send line ends as CR LF'
            cand --crlf 'Send line ends as CR LF'
            cand -t 'Answer telnet options, and keep them out of the data'
            cand --telnet 'Answer telnet options, and keep them out of the data'
            cand --append-output 'Keep what is in the files of --output and --hex-dump'
            cand --hex 'Show it in hexadecimal on standard error'
            cand -4 'IPv4 only'
            cand --ipv4 'IPv4 only'
            cand -6 'IPv6 only'
            cand --ipv6 'IPv6 only'
            cand -n 'Look up no names of hosts: they have to be addresses'
            cand --nodns 'Look up no names of hosts: they have to be addresses'
            cand -b 'Allow broadcast'
            cand --broadcast 'Allow broadcast'
            cand -S 'Sign TCP segments (RFC 2385)'
            cand --md5sig 'Sign TCP segments (RFC 2385)'
            cand -D 'Set SO_DEBUG on the socket'
            cand --debug 'Set SO_DEBUG on the socket'
            cand -v 'Say what happens; twice: addresses tried, totals'
            cand --verbose 'Say what happens; twice: addresses tried, totals'
            cand -h 'Show this help; --help tells everything'
            cand --help 'Show this help; --help tells everything'
            cand --version 'Print the version'
        }
    ]
    $completions[$command]
}
