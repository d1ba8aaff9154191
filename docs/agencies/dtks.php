<?php
// Is a household or person "terdaftar"? Usage: php dtks.php BASE_URL TOKEN rumah-tangga|art BODY
// BODY as JSON: {"id_dtks": "..."}, {"id_art": "..."} or {"nik": "..."}; prints what it found.
// Exit 0: terdaftar. 1: tidak terdaftar. 2: no answer; try again or stop.
list(, $base, $token, $what, $body) = $argv;
$context = stream_context_create(array('http' => array(
    'method' => 'POST',
    'header' => "Authorization: Bearer $token\r\nContent-Type: application/json\r\n",
    'content' => $body,
    'ignore_errors' => true,
    'timeout' => 30,
)));
$answer = @file_get_contents("$base/dtks/v1/$what/cari", false, $context);
if ($answer === false || strpos($http_response_header[0], ' 200 ') === false) {
    fwrite(STDERR, $answer === false ? "no answer\n" : $answer . "\n");
    exit(2);
}
foreach ($http_response_header as $line) {
    if (stripos($line, 'Sunset:') === 0) {
        fwrite(STDERR, "this service ends:" . substr($line, 7) . "\n");
    }
}
$told = json_decode($answer, true);
if ($told['status'] === 'terdaftar') {
    $people = isset($told['data']['art']) ? $told['data']['art'] : array($told['data']);
    foreach ($people as $one) {
        echo $one['NIK'], ' ', $one['Nama'], "\n";
    }
    exit(0);
}
echo $told['alasan']['kode'], "\n";
exit(1);
