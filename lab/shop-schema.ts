/** A table of the shop, and how the server makes its rows from @seed and `seq`. */
export interface ShopTable {
  readonly name: string;
  readonly create: string;
  /** Rows for each MB of the requested size. */
  readonly perMb: number;
  readonly rowsPerChunk: number;
  /** Column list and SELECT without FROM; `seq` counts from 1. @customers, @products and @orders are the sizes of those tables. */
  readonly select: string;
}

/** A number below `limit`, the same for the same seed, salt and row. RAND() would not survive a change of plan. */
const pick = (salt: string, limit: string): string => `(CRC32(CONCAT(@seed, '${salt}', seq)) % ${limit})`;
const oneOf = (salt: string, words: readonly string[]): string =>
  `ELT(1 + ${pick(salt, String(words.length))}, ${words.map((word) => `'${word}'`).join(', ')})`;
const given = [
  'Ingrid',
  'Åse',
  'Bjørn',
  'Kari',
  'Søren',
  'Łukasz',
  'Zoë',
  'Mohammed',
  'Nguyễn',
  'Olga',
  '美咲',
  'Émilie',
];
const family = [
  'Hansen',
  'Ødegård',
  'Lie',
  'Berg',
  'Müller',
  'Kowalski',
  'García',
  'Öztürk',
  'Trần',
  'Иванова',
  '佐藤',
  'Nilsen',
];
const cities = ['Oslo', 'Bergen', 'Tromsø', 'Ålesund', 'Stavanger', 'Hønefoss', 'Bodø', 'Kirkenes'];
const wares = [
  'Rain jacket',
  'Wool socks',
  'Coffee press',
  'Head torch',
  'Thermos',
  'Snow shovel',
  'Knitted hat',
  'Rucksack',
];
const opinions = [
  'Veldig bra! 😀👍',
  'Came late 🚚, works fine',
  'Broke after a week 💔',
  'Perfect gift 🎁🎄',
  'Størrelsen er for liten 🧦',
  '⭐⭐⭐⭐⭐',
  '品質が良い 🇯🇵',
  'Would buy again 🛒',
];
const moment = (salt: string): string => `TIMESTAMP'2023-01-01 00:00:00' + INTERVAL ${pick(salt, '94608000')} SECOND`;
const words = (salt: string, count: number): string =>
  `REPEAT(CONCAT(MD5(CONCAT(@seed, '${salt}', seq)), ' '), 1 + ${pick(salt, String(count))})`;

export const shopTables: readonly ShopTable[] = [
  {
    name: 'customers',
    create: `CREATE TABLE customers (
      id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(120) NOT NULL, name VARCHAR(120) NOT NULL,
      born DATE NULL, preferences JSON NOT NULL, created TIMESTAMP NOT NULL, UNIQUE KEY email (email), KEY name (name))`,
    perMb: 40,
    rowsPerChunk: 20_000,
    select: `(id, email, name, born, preferences, created) SELECT seq, CONCAT('customer', seq, '.', LEFT(MD5(CONCAT(@seed, seq)), 8), '@example.com'),
      CONCAT(${oneOf('given', given)}, ' ', ${oneOf('family', family)}), IF(seq % 7, DATE'1950-01-01' + INTERVAL ${pick('born', '20000')} DAY, NULL),
      JSON_OBJECT('newsletter', seq % 3 = 0, 'language', ${oneOf('language', ['nb', 'nn', 'se', 'en'])}), ${moment('created')}`,
  },
  {
    name: 'addresses',
    create: `CREATE TABLE addresses (
      id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT UNSIGNED NOT NULL, kind ENUM('home', 'work', 'parcel') NOT NULL,
      street VARCHAR(120) NOT NULL, postcode CHAR(4) NOT NULL, city VARCHAR(60) NOT NULL,
      KEY customer (customer), FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE)`,
    perMb: 60,
    rowsPerChunk: 20_000,
    select: `(id, customer, kind, street, postcode, city) SELECT seq, 1 + (seq - 1) % @customers, ${oneOf('kind', ['home', 'work', 'parcel'])},
      CONCAT(${oneOf('street', ['Storgata', 'Kirkeveien', 'Sjøgata', 'Bakken'])}, ' ', 1 + ${pick('number', '180')}),
      LPAD(${pick('postcode', '9999')}, 4, '0'), ${oneOf('city', cities)}`,
  },
  {
    name: 'products',
    create: `CREATE TABLE products (
      id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, sku CHAR(12) NOT NULL, name VARCHAR(120) NOT NULL, description TEXT NOT NULL,
      price DECIMAL(10, 2) NOT NULL, stock INT NOT NULL, weight DOUBLE NULL, UNIQUE KEY sku (sku), FULLTEXT KEY description (description))`,
    perMb: 8,
    rowsPerChunk: 4_000,
    select: `(id, sku, name, description, price, stock, weight) SELECT seq, CONCAT('SF', LPAD(seq, 10, '0')), CONCAT(${oneOf('ware', wares)}, ' ', seq),
      CONCAT(${oneOf('ware', wares)}, ' 🏔️ ', ${words('text', 12)}), (99 + ${pick('price', '400000')}) / 100, 1000000, IF(seq % 5, ${pick('weight', '9000')} / 7, NULL)`,
  },
  {
    name: 'product_images',
    create: `CREATE TABLE product_images (
      id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, product INT UNSIGNED NOT NULL, position TINYINT UNSIGNED NOT NULL, mime VARCHAR(40) NOT NULL,
      image MEDIUMBLOB NOT NULL, UNIQUE KEY place (product, position), FOREIGN KEY (product) REFERENCES products (id) ON DELETE CASCADE)`,
    perMb: 16,
    rowsPerChunk: 300,
    select: `(id, product, position, mime, image) SELECT seq, 1 + (seq - 1) % @products, (seq - 1) DIV @products, 'image/jpeg',
      CONCAT(UNHEX('FFD8FFE0'), REPEAT(UNHEX(CONCAT(SHA2(CONCAT(@seed, 'i', seq), 512), SHA2(CONCAT(@seed, 'j', seq), 512), SHA2(CONCAT(@seed, 'k', seq), 512))),
        80 + ${pick('image', '160')}))`,
  },
  {
    name: 'orders',
    create: `CREATE TABLE orders (
      id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT UNSIGNED NOT NULL, number CHAR(14) NOT NULL,
      state ENUM('cart', 'placed', 'paid', 'sent', 'returned') NOT NULL, note VARCHAR(200) NULL, placed TIMESTAMP(6) NOT NULL,
      UNIQUE KEY number (number), KEY customer (customer, placed), FOREIGN KEY (customer) REFERENCES customers (id))`,
    perMb: 200,
    rowsPerChunk: 25_000,
    select: `(id, customer, number, state, note, placed) SELECT seq, 1 + ${pick('buyer', '@customers')}, CONCAT('N-', LPAD(seq, 12, '0')),
      ${oneOf('state', ['cart', 'placed', 'paid', 'sent', 'sent', 'returned'])}, IF(seq % 9, NULL, ${oneOf('note', ['Ring the bell 🔔', 'Gift wrapping 🎀', 'Leave at the door'])}), ${moment('placed')}`,
  },
  {
    name: 'order_lines',
    create: `CREATE TABLE order_lines (
      order_id INT UNSIGNED NOT NULL, line SMALLINT UNSIGNED NOT NULL, product INT UNSIGNED NOT NULL, quantity INT UNSIGNED NOT NULL, price DECIMAL(10, 2) NOT NULL,
      PRIMARY KEY (order_id, line), KEY product (product), FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
      FOREIGN KEY (product) REFERENCES products (id))`,
    perMb: 600,
    rowsPerChunk: 50_000,
    select: `(order_id, line, product, quantity, price) SELECT 1 + (seq - 1) DIV 3, 1 + (seq - 1) % 3, 1 + ${pick('bought', '@products')}, 1 + ${pick('quantity', '5')}, (99 + ${pick('paid', '400000')}) / 100`,
  },
  {
    name: 'payments',
    create: `CREATE TABLE payments (
      id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id INT UNSIGNED NOT NULL, method ENUM('card', 'vipps', 'invoice') NOT NULL,
      amount DECIMAL(12, 2) NOT NULL, reference BINARY(16) NOT NULL, paid TIMESTAMP NOT NULL,
      UNIQUE KEY reference (reference), KEY order_id (order_id), FOREIGN KEY (order_id) REFERENCES orders (id))`,
    perMb: 130,
    rowsPerChunk: 25_000,
    select: `(id, order_id, method, amount, reference, paid) SELECT seq, 1 + ${pick('settled', '@orders')}, ${oneOf('method', ['card', 'vipps', 'invoice'])},
      (99 + ${pick('amount', '900000')}) / 100, UNHEX(MD5(CONCAT(@seed, 'p', seq))), ${moment('settled')}`,
  },
  {
    name: 'reviews',
    create: `CREATE TABLE reviews (
      id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, product INT UNSIGNED NOT NULL, customer INT UNSIGNED NOT NULL, stars TINYINT UNSIGNED NOT NULL,
      body TEXT NOT NULL, KEY product (product, stars), FOREIGN KEY (product) REFERENCES products (id) ON DELETE CASCADE,
      FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE)`,
    perMb: 130,
    rowsPerChunk: 15_000,
    select: `(id, product, customer, stars, body) SELECT seq, 1 + ${pick('reviewed', '@products')}, 1 + ${pick('reviewer', '@customers')}, 1 + ${pick('stars', '5')},
      CONCAT(${oneOf('opinion', opinions)}, ' ', ${words('body', 14)})`,
  },
];

/** What lives in the schema beside tables: created after the load, which would otherwise fire the triggers. */
export const shopLogic = `
DELIMITER //
CREATE TRIGGER order_lines_take_stock AFTER INSERT ON order_lines FOR EACH ROW
  UPDATE products SET stock = stock - NEW.quantity WHERE id = NEW.product//
CREATE TRIGGER payments_settle_order AFTER INSERT ON payments FOR EACH ROW
  UPDATE orders SET state = 'paid' WHERE id = NEW.order_id AND state = 'placed'//
CREATE EVENT forget_old_carts ON SCHEDULE EVERY 1 HOUR DO
  DELETE FROM orders WHERE state = 'cart' AND placed < CURRENT_TIMESTAMP - INTERVAL 10 YEAR//
CREATE VIEW turnover AS SELECT method, COUNT(*) AS payments, SUM(amount) AS total FROM payments GROUP BY method//
DELIMITER ;
`;

export function chunks(count: number, size: number): readonly { readonly from: number; readonly to: number }[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => ({
    from: index * size + 1,
    to: Math.min(count, (index + 1) * size),
  }));
}
